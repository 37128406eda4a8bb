"""Makes an OCI archive of an environment's root file system, which is hostile. Its request is `ExportRequest` in src/lib/environment/image-export.ts."""

import json
import os
import subprocess
import tempfile

from pyro_image import places
from pyro_image.common import CHUNK, Refused, run, say, tail
from pyro_image.digests import sha256

BLOCK = 512
LAYER = "application/vnd.oci.image.layer.v1.tar"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"


def header(name, size):
    """The header of a file, in ustar's form. A size beyond 8 GiB is binary, as in GNU's form, which all readers know."""
    number = b"%011o\0" % size if size < 1 << 33 else b"\x80" + size.to_bytes(11, "big")
    fields = [
        name.ljust(100, b"\0"),
        b"0000644\0",
        b"0000000\0",
        b"0000000\0",
        number,
        b"00000000000\0",
        b" " * 8,
        b"0",
    ]
    block = (b"".join(fields).ljust(257, b"\0") + b"ustar\x0000").ljust(BLOCK, b"\0")
    return block[:148] + b"%06o\0 " % sum(block) + block[156:]


def sum_of(content):
    return sha256(content).hexdigest()


class Archive:
    """The outer archive. A file may be streamed into it before its name and size are known."""

    def __init__(self, path):
        self.file = open(path, "wb")

    def add(self, name, content):
        self.file.write(header(name, len(content)) + content)
        self.pad(len(content))

    def blob(self, content):
        digest = sum_of(content)
        self.add(f"blobs/sha256/{digest}".encode(), content)
        return {"digest": f"sha256:{digest}", "size": len(content)}

    def stream(self, source):
        """One copy on the disk: the header is written last, over the gap that was left for it."""
        start = self.file.tell()
        self.file.write(bytes(BLOCK))
        taken = sha256()
        size = 0
        while piece := source.read(CHUNK):
            taken.update(piece)
            size += self.file.write(piece)
        self.pad(size)
        end = self.file.tell()
        self.file.seek(start)
        self.file.write(header(f"blobs/sha256/{taken.hexdigest()}".encode(), size))
        self.file.seek(end)
        return {"digest": f"sha256:{taken.hexdigest()}", "size": size}

    def pad(self, size):
        self.file.write(bytes(-size % BLOCK))

    def close(self):
        self.file.write(bytes(2 * BLOCK))
        self.file.close()


def layer(archive, root):
    """All files, with owners, modes, times, hard links, devices and extended attributes. The modules are those of pyro's kernel."""
    argv = [
        "tar",
        "--directory",
        root,
        "--create",
        "--file=-",
        "--format=pax",
        "--pax-option=delete=atime,delete=ctime",
    ]
    argv += [
        "--numeric-owner",
        "--sort=name",
        "--acls",
        "--xattrs",
        "--xattrs-include=*",
        "--anchored",
        "--no-wildcards",
    ]
    argv += ["--exclude=./lib/modules", "--exclude=./usr/lib/modules", "."]
    # Warnings go to a file: a full pipe would stop tar.
    with tempfile.TemporaryFile() as errors:
        child = subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=errors)
        made = archive.stream(child.stdout)
        if child.wait() != 0:
            errors.seek(0)
            raise Refused("export", f"tar ended with {child.returncode}: {tail(errors.read())}")
    return made


def encoded(value):
    return json.dumps(value, separators=(",", ":"), sort_keys=True).encode()


def export(request):
    os.chdir(places.WORK)
    run(["modprobe", "loop"])
    os.mkdir("root")
    run(["mount", "-t", "erofs", "-o", "ro,loop", "root.erofs", "root"])
    archive = Archive(f"{places.WORK}/image.tar")
    archive.add(b"oci-layout", encoded({"imageLayoutVersion": "1.0.0"}))
    say(_tag="Progress", step="writing the layer", fraction=0.3)
    content = layer(archive, f"{places.WORK}/root")
    created = request["created"]
    config = archive.blob(
        encoded(
            {
                "created": created,
                "architecture": request["architecture"],
                "os": "linux",
                "config": request["config"],
                "rootfs": {"type": "layers", "diff_ids": [content["digest"]]},
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
                "layers": [{"mediaType": LAYER, **content}],
            }
        )
    )
    names = (
        {"org.opencontainers.image.ref.name": request["tag"], "io.containerd.image.name": request["tag"]}
        if request.get("tag")
        else {}
    )
    archive.add(
        b"index.json",
        encoded(
            {
                "schemaVersion": 2,
                "mediaType": "application/vnd.oci.image.index.v1+json",
                "manifests": [{"mediaType": MANIFEST, **manifest, **({"annotations": names} if names else {})}],
            }
        ),
    )
    # Docker before version 25 reads only this file, and finds the same blobs.
    archive.add(
        b"manifest.json",
        encoded(
            [
                {
                    "Config": blob_path(config),
                    "RepoTags": [request["tag"]] if request.get("tag") else [],
                    "Layers": [blob_path(content)],
                }
            ]
        ),
    )
    archive.close()
    say(_tag="Packed", digest=manifest["digest"], sizeBytes=os.stat("image.tar").st_size)


def blob_path(descriptor):
    return "blobs/sha256/" + descriptor["digest"].split(":")[1]


def main(request):
    try:
        export(request["export"])
    except Refused as refused:
        say(_tag="Refused", kind="export", detail=str(refused)[:2000])
    except OSError as error:
        say(_tag="Refused", kind="full" if error.errno == 28 else "tool", detail=str(error)[:2000])
