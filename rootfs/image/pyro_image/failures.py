"""What skopeo and buildah say of a registry's failures."""

from __future__ import annotations

import re

# What skopeo says of a failure, in the order in which it is looked for, and the kind that the host knows
# (ImagePullFailed in src/contract/errors).
FETCH_FAILURES = [
    ("rate_limit", r"toomanyrequests|too many requests|\b429\b"),
    ("certificate", r"x509:|certificate|tls: (handshake failure|unrecognized name)"),
    ("platform", r"no image found in (image index|manifest list)"),
    ("unauthorized", r"unauthorized|authentication required|authorization failed|\bdenied\b|forbidden|\b401\b|\b403\b"),
    ("not_found", r"(manifest|name|blob) unknown|repository name not known|not found|\b404\b"),
    # The last two: a page for people, or a part of a document, in place of a manifest or a token.
    (
        "server",
        r"\b50[0-9]\b|internal server error|bad gateway|service unavailable"
        r"|invalid character '.{1,8}' looking for|unexpected end of json",
    ),
    ("digest", r"digest did not match|does not match|doesn't match|mismatch|corrupt"),
    ("timeout", r"timeout|timed out|deadline exceeded"),
    (
        "unreachable",
        r"no such host|server misbehaving|connection (refused|reset)|no route|unreachable"
        r"|unexpected eof|\beof\b|broken pipe",
    ),
    ("full", r"no space left"),
    ("image", r"manifest|media ?type|unsupported"),
]
# What the registry lacks is a part of the image, whose manifest it has.
OF_PART = re.compile(r"\b(fetching|reading|writing|config) blob\b|\bblob unknown\b", re.IGNORECASE)
FATAL = re.compile(r'level=fatal msg="((?:[^"\\]|\\.)*)"')
# Words before the reason.
BEFORE_REASON = re.compile(
    r"^(?:(?:initializing source|trying to reuse blob|writing blob|copying system image from manifest list"
    r"|determining manifest MIME type for) )?docker://\S+: "
)
MOST_OUTPUT = 1000


def fetch_failure(output: str) -> tuple[str, str]:
    """The kind of skopeo's failure, and its reason without the words before it."""
    said = FATAL.findall(output)
    text = re.sub(r"\\(.)", r"\1", said[-1]) if said else output.strip()[-MOST_OUTPUT:]
    reason = BEFORE_REASON.sub("", text)
    for kind, pattern in FETCH_FAILURES:
        if re.search(pattern, text, re.IGNORECASE):
            return ("incomplete" if kind == "not_found" and OF_PART.search(text) else kind), reason
    return "failed", reason
