"""Which certificates the programs of a Dockerfile's steps trust."""

from __future__ import annotations

import os

# What pyro writes if the guest trusts authorities of the host, and the bundle that has them
# (src/workspace/residents/program/guest-trust.ts).
HOST_AUTHORITIES = "/etc/ssl/pyro-extra.pem"
BUNDLE = "/etc/ssl/certs/ca-certificates.crt"
# Beneath /run, which no environment keeps.
STEP_BUNDLE = "/run/pyro-certificates.pem"
TRUST_VARIABLES = [
    "NODE_EXTRA_CA_CERTS",
    "SSL_CERT_FILE",
    "CURL_CA_BUNDLE",
    "GIT_SSL_CAINFO",
    "REQUESTS_CA_BUNDLE",
    "PIP_CERT",
    "CARGO_HTTP_CAINFO",
]
FIRST_TRUST_STEP = f'ENV "{TRUST_VARIABLES[0]}"='


def trust() -> list[str]:
    """Options by which steps trust what this microVM trusts: they see the certificates of the image alone."""
    if not os.path.exists(HOST_AUTHORITIES):
        return []
    return ["--volume", f"{BUNDLE}:{STEP_BUNDLE}:ro", *(f"--env={name}={STEP_BUNDLE}" for name in TRUST_VARIABLES)]


def without_trust(env: list[str]) -> list[str]:
    """Variables of an image without those of the steps."""
    of_steps = {f"{name}={STEP_BUNDLE}" for name in TRUST_VARIABLES}
    return [one for one in env if one not in of_steps]
