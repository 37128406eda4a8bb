"""What the modules have in common: what they say to the host, and how they run programs."""

import json
import os
import re
import subprocess

from pyro_image.digests import digest_of

CHUNK = 1 << 20
TAR_BLOCK = 512
# Docker's own limit is 127 layers; overlayfs takes 500.
MOST_LAYERS = 128
MOST_JSON_BYTES = 4 << 20
MOST_LABEL = 65_536
# Overlays keep their whiteouts and opaque directories in extended attributes.
XATTRS = ["--numeric-owner", "--xattrs", "--xattrs-include=*"]
KNOWN_LAYERS = re.compile(
    r"^application/vnd\.(oci\.image\.layer\.v1\.tar|docker\.image\.rootfs\.diff\.tar)([.+](gzip|zstd))?$"
)


class Refused(Exception):
    """The image cannot become an environment. `kind` chooses what the host says. `image`: the base image that it is about."""

    def __init__(self, kind, detail, image=None):
        super().__init__(detail)
        self.kind = kind
        self.image = image


def say(**fields):
    print(json.dumps(fields), flush=True)


def progress(step, fraction):
    say(_tag="Progress", step=step, fraction=round(fraction, 3))


def output(line):
    """A line that a program of the present step printed."""
    say(_tag="Output", line=line[:500])


def run(argv, **options):
    done = subprocess.run(argv, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, **options)
    if done.returncode != 0:
        raise Refused("tool", f"{argv[0]} ended with {done.returncode}: {tail(done.stderr)}")


def tail(output):
    text = output.decode("utf-8", "replace").strip()
    return text[-1000:]


def tar_module():
    """Loaded when it is needed: without KVM that takes half a second."""
    import tarfile

    return tarfile


def read_json(path, digest=None):
    size = os.stat(path).st_size
    if size > MOST_JSON_BYTES:
        raise Refused("image", f"a manifest or configuration of {size} bytes")
    with open(path, "rb") as file:
        content = file.read()
    if digest is not None and digest_of(content) != digest:
        raise Refused("digest", f"the content of {digest} is not what the digest says")
    try:
        return json.loads(content)
    except ValueError as error:
        raise Refused("image", f"{digest or 'the manifest'} is no JSON: {error}") from error
