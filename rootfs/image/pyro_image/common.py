"""What the modules have in common: what they say to the host, and how they run programs."""

from __future__ import annotations

import json
import os
import subprocess

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

CHUNK = 1 << 20
TAR_BLOCK = 512
# Docker's own limit is 127 layers; overlayfs takes 500.
MOST_LAYERS = 128
MOST_JSON_BYTES = 4 << 20
# Overlays keep their whiteouts and opaque directories in extended attributes.
XATTRS = ["--numeric-owner", "--xattrs", "--xattrs-include=*"]
MOST_WORDS = 1000
MOST_LINE = 500


class Refused(Exception):  # noqa: N818 # Not an error of the builder: the host tells a person.
    """The image cannot become an environment. `kind` chooses what the host says. `image`: the base image concerned."""

    def __init__(self, kind: str, detail: str, image: str | None = None) -> None:
        super().__init__(detail)
        self.kind = kind
        self.image = image


def say(**fields: object) -> None:
    print(json.dumps(fields), flush=True)


def progress(step: str, fraction: float) -> None:
    say(_tag="Progress", step=step, fraction=round(fraction, 3))


def output(line: str) -> None:
    """A line that a program of the present step printed."""
    say(_tag="Output", line=line[:MOST_LINE])


def run(argv: Sequence[str], cwd: str | None = None) -> None:
    done = subprocess.run(argv, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, cwd=cwd, check=False)
    if done.returncode != 0:
        raise Refused("tool", f"{argv[0]} ended with {done.returncode}: {tail(done.stderr)}")


def import_ahead() -> None:
    """Imports what an image needs later, while another program waits for a registry."""
    import pyro_image.image  # noqa: F401


def tail(said: bytes) -> str:
    return said.decode("utf-8", "replace").strip()[-MOST_WORDS:]


def read_json(path: str, digest: str | None = None) -> Any:
    """A document of a stranger. Refuses one that is large, has another digest or is no JSON."""
    size = os.stat(path).st_size
    if size > MOST_JSON_BYTES:
        raise Refused("image", f"a manifest or configuration of {size} bytes")
    with open(path, "rb") as file:
        content = file.read()
    if digest is not None:
        from pyro_image.digests import digest_of

        if digest_of(content) != digest:
            raise Refused("digest", f"the content of {digest} is not what the digest says")
    try:
        return json.loads(content)
    except ValueError as error:
        raise Refused("image", f"{digest or 'the manifest'} is no JSON: {error}") from error
