"""Fetches an image of a registry or an archive, for image.py, which is behind this text in one program. The registry is hostile."""


# What skopeo says of a failure, in the order in which it is looked for, and the kind that the host knows (ImagePullFailed in src/contract/errors).
FETCH_FAILURES = [
    ("rate_limit", r"toomanyrequests|too many requests|\b429\b"),
    ("certificate", r"x509:|certificate|tls: (handshake failure|unrecognized name)"),
    ("platform", r"no image found in (image index|manifest list)"),
    ("unauthorized", r"unauthorized|authentication required|authorization failed|access denied|denied:|forbidden|\b401\b|\b403\b"),
    ("not_found", r"(manifest|name|blob) unknown|repository name not known|not found|\b404\b"),
    ("server", r"\b50[0-9]\b|internal server error|bad gateway|service unavailable"),
    ("digest", r"digest did not match|does not match|doesn't match|mismatch|corrupt"),
    ("timeout", r"timeout|timed out|deadline exceeded"),
    ("unreachable", r"no such host|server misbehaving|connection (refused|reset)|no route|unreachable|unexpected eof|\beof\b|broken pipe"),
    ("full", r"no space left"),
    ("image", r"manifest|media ?type|unsupported"),
]


def fetch_failure(output):
    """The kind of skopeo's failure, and its reason without the words before it."""
    said = re.findall(r'level=fatal msg="((?:[^"\\\\]|\\\\.)*)"', output.decode("utf-8", "replace"))
    text = re.sub(r"\\\\(.)", r"\\1", said[-1]) if said else tail(output)
    reason = re.sub(r"^(?:(?:initializing source|trying to reuse blob|writing blob|copying system image from manifest list|determining manifest MIME type for) )?docker://\S+: ", "", text)
    for kind, pattern in FETCH_FAILURES:
        if re.search(pattern, text, re.IGNORECASE):
            return kind, reason
    return "failed", reason


def platforms_of(source, options):
    """The platforms of an index, for a person to read."""
    argv = ["skopeo", "inspect", "--raw", *(["--tls-verify=false"] if options.get("plainHttp") else []), source]
    done = subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    try:
        entries = json.loads(done.stdout[:MOST_JSON_BYTES]).get("manifests") or []
        named = [entry.get("platform") or {} for entry in entries]
        texts = ["/".join(str(one[key]) for key in ("os", "architecture", "variant") if one.get(key)) for one in named]
    except (ValueError, AttributeError, TypeError):
        texts = []
    return ", ".join(sorted({text for text in texts if text and "unknown" not in text})[:20])


def fetch(source, options):
    """Copies manifest, configuration and layers to `image` and checks their digests."""
    progress("fetching the image", 0.02)
    argv = ["skopeo", "--override-os", "linux", "--override-arch", options["architecture"], "copy"]
    argv += ["--preserve-digests", "--retry-times", "2"]
    if options.get("plainHttp"):
        argv += ["--src-tls-verify=false"]
    # Errors go to a file: a pipe that nobody reads yet would stop skopeo.
    with tempfile.TemporaryFile() as errors:
        child = subprocess.Popen(argv + [source, f"dir:{WORK}/image"], stdout=subprocess.PIPE, stderr=errors)
        blobs = 0
        for line in child.stdout:
            if line.startswith(b"Copying blob"):
                blobs += 1
                progress(f"fetching layer {blobs}", min(0.05 + 0.05 * blobs, 0.4))
        if child.wait() != 0:
            errors.seek(max(0, errors.seek(0, os.SEEK_END) - 4096))
            kind, reason = fetch_failure(errors.read())
            raise Refused(kind, platforms_of(source, options) or reason if kind == "platform" else reason)


def log_in(logins):
    """Writes the logins for skopeo and buildah. The passwords are placeholders, for which the host puts the values into requests that pull."""
    if not logins:
        return
    texts = {one["registry"]: f"{one['user']}:{os.environ[one['variable']]}" for one in logins}
    auths = {registry: {"auth": base64.b64encode(text.encode()).decode()} for registry, text in texts.items()}
    os.environ["REGISTRY_AUTH_FILE"] = "/run/pyro-registries.json"
    with open(os.environ["REGISTRY_AUTH_FILE"], "w", encoding="utf-8") as file:
        json.dump({"auths": auths}, file)
