"""Makes an OCI archive of an environment's root file system, which is hostile."""

from __future__ import annotations

import json
import os
import subprocess

from pyro_image import places
from pyro_image.common import CHUNK, TAR_BLOCK, Refused, progress, run, say, tail
from pyro_image.digests import digest_of, sha256

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import IO, TypedDict

    from pyro_image.requests import ExportRequest

    class Blob(TypedDict):
        digest: str
        size: int


LAYER = "application/vnd.oci.image.layer.v1.tar"
INDEX = "application/vnd.oci.image.index.v1+json"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
# What the twelve octal digits of a header do not hold.
MOST_OCTAL = 1 << 33
# Bytes between two steps of the progress.
TOLD = 64 << 20


def header(name: bytes, size: int) -> bytes:
    """The header of a file, in ustar's form. A size beyond 8 GiB is binary, as in GNU's, which all readers know."""
    number = b"%011o\0" % size if size < MOST_OCTAL else b"\x80" + size.to_bytes(11, "big")
    numbers = [b"0000644\0", b"0000000\0", b"0000000\0", number, b"00000000000\0"]
    fields = [name.ljust(100, b"\0"), *numbers, b" " * 8, b"0"]
    block = (b"".join(fields).ljust(257, b"\0") + b"ustar\x0000").ljust(TAR_BLOCK, b"\0")
    return block[:148] + b"%06o\0 " % sum(block) + block[156:]


def blob_path(digest: str) -> str:
    return "blobs/sha256/" + digest.split(":")[1]


class Archive:
    """The outer archive. A file may be streamed into it before its name and size are known."""

    def __init__(self, path: str) -> None:
        self.file = open(path, "wb")  # noqa: SIM115 # close() closes it.

    def add(self, name: str, content: bytes) -> None:
        self.file.write(header(name.encode(), len(content)) + content)
        self.pad(len(content))

    def blob(self, content: bytes) -> Blob:
        digest = digest_of(content)
        self.add(blob_path(digest), content)
        return {"digest": digest, "size": len(content)}

    def stream(self, source: IO[bytes]) -> Blob:
        """One copy on the disk: the header is written last, over the gap that was left for it."""
        start = self.file.tell()
        self.file.write(bytes(TAR_BLOCK))
        taken = sha256()
        size = 0
        while piece := source.read(CHUNK):
            taken.update(piece)
            size += self.file.write(piece)
            if size % TOLD < len(piece):
                progress(f"writing the layer: {size >> 20} MiB", 0.3)
        self.pad(size)
        end = self.file.tell()
        digest = "sha256:" + taken.hexdigest()
        self.file.seek(start)
        self.file.write(header(blob_path(digest).encode(), size))
        self.file.seek(end)
        return {"digest": digest, "size": size}

    def pad(self, size: int) -> None:
        self.file.write(bytes(-size % TAR_BLOCK))

    def close(self) -> None:
        self.file.write(bytes(2 * TAR_BLOCK))
        self.file.close()


def add_layer(archive: Archive, root: str) -> Blob:
    """All files, with owners, modes, times, hard links, devices and extended attributes.

    The modules are those of pyro's kernel, and stay out.
    """
    argv = ["tar", "--directory", root, "--create", "--file=-", "--format=pax"]
    argv += ["--pax-option=delete=atime,delete=ctime", "--numeric-owner", "--sort=name"]
    argv += ["--acls", "--xattrs", "--xattrs-include=*"]
    argv += ["--anchored", "--no-wildcards", "--exclude=./lib/modules", "--exclude=./usr/lib/modules", "."]
    # Warnings go to a file: a full pipe would stop tar.
    with open(f"{places.WORK}/warnings", "w+b") as warnings:
        os.unlink(warnings.name)
        child = subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=warnings)
        assert child.stdout is not None
        made = archive.stream(child.stdout)
        if child.wait() != 0:
            warnings.seek(0)
            raise Refused("export", f"tar ended with {child.returncode}: {tail(warnings.read())}")
    return made


def encoded(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":"), sort_keys=True).encode()


def add_documents(archive: Archive, request: ExportRequest, layer: Blob) -> str:
    """What describes the layer. Gives the digest of the manifest."""
    created, tag = request["created"], request.get("tag")
    config = archive.blob(
        encoded(
            {
                "created": created,
                "architecture": request["architecture"],
                "os": "linux",
                "config": request["config"],
                "rootfs": {"type": "layers", "diff_ids": [layer["digest"]]},
                "history": [{"created": created, "created_by": "pyro env export"}],
            }
        )
    )
    manifest = archive.blob(
        encoded(
            {
                "schemaVersion": 2,
                "mediaType": MANIFEST,
                "config": {"mediaType": CONFIG, **config},
                "layers": [{"mediaType": LAYER, **layer}],
            }
        )
    )
    names = {"org.opencontainers.image.ref.name": tag, "io.containerd.image.name": tag}
    described = {"mediaType": MANIFEST, **manifest, **({"annotations": names} if tag else {})}
    archive.add("index.json", encoded({"schemaVersion": 2, "mediaType": INDEX, "manifests": [described]}))
    # Docker before version 25 reads only this file, and finds the same blobs.
    paths = {"Config": blob_path(config["digest"]), "Layers": [blob_path(layer["digest"])]}
    archive.add("manifest.json", encoded([{**paths, "RepoTags": [tag] if tag else []}]))
    return manifest["digest"]


def export(request: ExportRequest) -> None:
    root = f"{places.WORK}/root"
    run(["modprobe", "loop"])
    os.mkdir(root)
    run(["mount", "-t", "erofs", "-o", "ro,loop", f"{places.WORK}/root.erofs", root])
    path = f"{places.WORK}/image.tar"
    archive = Archive(path)
    archive.add("oci-layout", encoded({"imageLayoutVersion": "1.0.0"}))
    progress("writing the layer", 0.3)
    layer = add_layer(archive, root)
    digest = add_documents(archive, request, layer)
    archive.close()
    say(_tag="Packed", digest=digest, sizeBytes=os.stat(path).st_size)
