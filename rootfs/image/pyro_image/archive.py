"""Finds the image of an archive. The archive is what a stranger wrote."""

import json
import os
import re
import shutil
import subprocess

from pyro_image import places
from pyro_image.common import CHUNK, MOST_JSON_BYTES, Refused, progress, read_json, tail, tar_module

ARCHIVE = "/workspace/import.tar"
MOST_NAMED = 20
PACKED = ((b"\x1f\x8b", "gzip"), (b"\x28\xb5\x2f\xfd", "zstd"), (b"\xfd7zXZ\x00", "xz"))
PLATFORM = ("linux", "amd64")


def plain_archive():
    """The archive, decompressed if it is compressed as a whole."""
    with open(ARCHIVE, "rb") as file:
        magic = file.read(6)
    for beginning, tool in PACKED:
        if magic.startswith(beginning):
            plain = f"{places.WORK}/import.plain.tar"
            with open(ARCHIVE, "rb") as source, open(plain, "wb") as target:
                done = subprocess.run([tool, "-dc"], stdin=source, stdout=target, stderr=subprocess.PIPE)
            if done.returncode != 0:
                raise Refused("archive", f"the archive cannot be decompressed: {tail(done.stderr)}")
            os.unlink(ARCHIVE)
            return plain
    return ARCHIVE


def archive_entries(path):
    """Entries by their names without ./ in front. A later entry of a name wins, as in any unpacked archive."""
    try:
        archive = tar_module().open(path, "r:", errors="surrogateescape")
        return archive, {os.path.normpath(entry.name): entry for entry in archive if entry.isreg()}
    except (tar_module().TarError, EOFError) as error:
        raise Refused("archive", f"the file is no tar archive of an image: {error}") from error


def json_of(archive, entry):
    if entry.size > MOST_JSON_BYTES:
        raise Refused("archive", f"{entry.name!r} of {entry.size} bytes")
    try:
        return json.loads(archive.extractfile(entry).read())
    except ValueError as error:
        raise Refused("archive", f"{entry.name!r} is no JSON: {error}") from error


def image_of_archive(request):
    """The image's source in skopeo's form."""
    progress("reading the archive", 0.01)
    path = plain_archive()
    archive, entries = archive_entries(path)
    kind, name = request["kind"], request.get("name")
    if kind == "auto":
        kind = "oci" if "index.json" in entries else "docker"
    marker = "index.json" if kind == "oci" else "manifest.json"
    if marker not in entries:
        other = "neither index.json nor manifest.json" if request["kind"] == "auto" else f"no {marker}"
        raise Refused("archive", f"no image is in the archive: it has {other}")
    with archive:
        if kind == "docker":
            number = chosen_of_docker(json_of(archive, entries[marker]), name)
            return f"docker-archive:{path}:@{number}"
        unpack_layout(archive, entries, json_of(archive, entries[marker]), name)
    os.unlink(path)
    return f"oci:{places.WORK}/import"


def several(names):
    shown = ", ".join(sorted(str(one)[:200] for one in names)[:MOST_NAMED]) or "without names"
    return Refused("archive", f"several images are in the archive ({shown}): say which with TRANSPORT:FILE:NAME")


def none_named(name, names):
    shown = ", ".join(sorted(str(one)[:200] for one in names)[:MOST_NAMED]) or "no name"
    return Refused("archive", f"no image {name!r} is in the archive, which has {shown}")


def chosen_of_docker(images, name):
    """The number of the image. Docker leaves out the tag `latest` only in what people type."""
    names = {tag for image in images for tag in image.get("RepoTags") or []}
    found = [
        number
        for number, image in enumerate(images)
        if name is None or not {name, f"{name}:latest"}.isdisjoint(image.get("RepoTags") or [])
    ]
    if not images:
        raise Refused("archive", "no image is in the archive: its manifest.json is empty")
    if not found:
        raise none_named(name, names)
    if len(found) > 1:
        raise several(names)
    return found[0]


def names_of(descriptor):
    notes = descriptor.get("annotations") or {}
    return {notes[key] for key in ("org.opencontainers.image.ref.name", "io.containerd.image.name") if key in notes}


def platform_of(descriptor):
    platform = descriptor.get("platform")
    return (platform.get("os"), platform.get("architecture")) if platform else None


def chosen_of_layout(index, name):
    """The one descriptor of a name. Of descriptors for several platforms, the one for this machine."""
    images = index.get("manifests") or []
    names = {one for image in images for one in names_of(image)}
    found = [image for image in images if name is None or not {name, f"{name}:latest"}.isdisjoint(names_of(image))]
    if not images:
        raise Refused("archive", "no image is in the archive: its index.json is empty")
    if not found:
        raise none_named(name, names)
    if len(found) > 1 and all(platform_of(image) for image in found):
        here = [image for image in found if platform_of(image) == PLATFORM]
        if not here:
            raise Refused(
                "platform",
                "the image is for " + ", ".join("/".join(map(str, platform_of(image))) for image in found[:MOST_NAMED]),
            )
        found = here
    if len(found) > 1:
        raise several(names)
    return found[0]


def unpack_layout(archive, entries, index, name):
    """Unpacks a layout whose index has the chosen image alone."""
    chosen = chosen_of_layout(index, name)
    blobs = f"{places.WORK}/import/blobs/sha256"
    os.makedirs(blobs)
    for path, entry in entries.items():
        digest = re.fullmatch(r"blobs/sha256/([0-9a-f]{64})", path)
        if digest:
            with open(f"{blobs}/{digest[1]}", "wb") as target:
                shutil.copyfileobj(archive.extractfile(entry), target, CHUNK)
    digest = chosen.get("digest", "")
    if not re.fullmatch(r"sha256:[0-9a-f]{64}", digest) or not os.path.exists(f"{blobs}/{digest[7:]}"):
        raise Refused("archive", f"the archive has no manifest {digest!r}, which its index.json names")
    # skopeo trusts a layout for the digest of its manifest.
    read_json(f"{blobs}/{digest[7:]}", digest)
    chosen.pop("annotations", None)
    for path, content in (
        ("oci-layout", {"imageLayoutVersion": "1.0.0"}),
        ("index.json", {"schemaVersion": 2, "manifests": [chosen]}),
    ):
        with open(f"{places.WORK}/import/{path}", "w", encoding="utf-8") as file:
            json.dump(content, file)
