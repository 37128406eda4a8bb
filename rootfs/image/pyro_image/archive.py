"""Finds the image of an archive, which is what a stranger wrote."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import tarfile

from pyro_image import places
from pyro_image.common import CHUNK, MOST_JSON_BYTES, Refused, progress, read_json, tail

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from typing import IO, Any

    from pyro_image.requests import Archive, Json

    type Entries = Mapping[str, tarfile.TarInfo]

MOST_NAMED = 20
MOST_NAME = 200
PACKED = ((b"\x1f\x8b", "gzip"), (b"\x28\xb5\x2f\xfd", "zstd"), (b"\xfd7zXZ\x00", "xz"))
PLATFORM = ("linux", "amd64")
BLOB = re.compile(r"blobs/sha256/([0-9a-f]{64})")
DIGEST = re.compile(r"sha256:([0-9a-f]{64})")
NAMES = ("org.opencontainers.image.ref.name", "io.containerd.image.name")


def plain_archive() -> str:
    """The archive, decompressed if it is compressed as a whole."""
    archive = f"{places.WORK}/import.tar"
    with open(archive, "rb") as file:
        magic = file.read(6)
    for beginning, tool in PACKED:
        if magic.startswith(beginning):
            plain = f"{places.WORK}/import.plain.tar"
            with open(archive, "rb") as source, open(plain, "wb") as target:
                done = subprocess.run([tool, "-dc"], stdin=source, stdout=target, stderr=subprocess.PIPE, check=False)
            if done.returncode != 0:
                raise Refused("archive", f"the archive cannot be decompressed: {tail(done.stderr)}")
            os.unlink(archive)
            return plain
    return archive


def archive_entries(path: str) -> tuple[tarfile.TarFile, dict[str, tarfile.TarInfo]]:
    """Entries by their names without ./ in front. A later entry of a name wins, as in any unpacked archive."""
    entries: dict[str, tarfile.TarInfo] = {}
    try:
        archive = tarfile.open(path, "r:", errors="surrogateescape")  # noqa: SIM115 # The caller closes it.
        for entry in archive:
            # Other programs read something else: no image needs that.
            if "size" in archive.pax_headers or entry.issparse():
                raise Refused("archive", f"the entry {entry.name[:MOST_NAME]!r} has no plain size")
            if entry.isreg():
                entries[os.path.normpath(entry.name)] = entry
    except (tarfile.TarError, EOFError, ValueError, OverflowError) as error:
        raise Refused("archive", f"the file is no tar archive of an image: {error}") from error
    return archive, entries


def content_of(archive: tarfile.TarFile, entry: tarfile.TarInfo) -> IO[bytes]:
    content = archive.extractfile(entry)
    assert content is not None
    return content


def json_of(archive: tarfile.TarFile, entry: tarfile.TarInfo) -> Any:
    if entry.size > MOST_JSON_BYTES:
        raise Refused("archive", f"{entry.name!r} of {entry.size} bytes")
    try:
        return json.loads(content_of(archive, entry).read())
    except ValueError as error:
        raise Refused("archive", f"{entry.name!r} is no JSON: {error}") from error


def image_of_archive(request: Archive) -> str:
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


def shown(names: Iterable[object], otherwise: str) -> str:
    return ", ".join(sorted(str(one)[:MOST_NAME] for one in names)[:MOST_NAMED]) or otherwise


def several(names: Iterable[object]) -> Refused:
    listed = shown(names, "without names")
    return Refused("archive", f"several images are in the archive ({listed}): say which with TRANSPORT:FILE:NAME")


def none_named(name: str | None, names: Iterable[object]) -> Refused:
    return Refused("archive", f"no image {name!r} is in the archive, which has {shown(names, 'no name')}")


def is_named(name: str | None, names: Iterable[object]) -> bool:
    """Docker leaves out the tag `latest` only in what people type."""
    return name is None or not {name, f"{name}:latest"}.isdisjoint(names)


def chosen_of_docker(images: Sequence[Json], name: str | None) -> int:
    """The number of the image."""
    names = {tag for image in images for tag in image.get("RepoTags") or []}
    found = [number for number, image in enumerate(images) if is_named(name, image.get("RepoTags") or [])]
    if not images:
        raise Refused("archive", "no image is in the archive: its manifest.json is empty")
    if not found:
        raise none_named(name, names)
    if len(found) > 1:
        raise several(names)
    return found[0]


def names_of(descriptor: Json) -> set[object]:
    notes = descriptor.get("annotations") or {}
    return {notes[key] for key in NAMES if key in notes}


def platform_of(descriptor: Json) -> tuple[object, object] | None:
    platform = descriptor.get("platform")
    return (platform.get("os"), platform.get("architecture")) if platform else None


def chosen_of_layout(index: Json, name: str | None) -> Json:
    """The one descriptor of a name. Of descriptors for several platforms, the one for this machine."""
    images: Sequence[Json] = index.get("manifests") or []
    names = {one for image in images for one in names_of(image)}
    found = [image for image in images if is_named(name, names_of(image))]
    if not images:
        raise Refused("archive", "no image is in the archive: its index.json is empty")
    if not found:
        raise none_named(name, names)
    platforms = [platform for image in found if (platform := platform_of(image))]
    if len(found) > 1 and len(platforms) == len(found):
        found = [image for image in found if platform_of(image) == PLATFORM]
        if not found:
            listed = ", ".join("/".join(map(str, platform)) for platform in platforms[:MOST_NAMED])
            raise Refused("platform", f"the image is for {listed}")
    if len(found) > 1:
        raise several(names)
    return found[0]


def unpack_layout(archive: tarfile.TarFile, entries: Entries, index: Json, name: str | None) -> None:
    """Unpacks a layout whose index has the chosen image alone."""
    chosen = chosen_of_layout(index, name)
    folder = f"{places.WORK}/import"
    blobs = f"{folder}/blobs/sha256"
    os.makedirs(blobs)
    for path, entry in entries.items():
        blob = BLOB.fullmatch(path)
        if blob:
            with open(f"{blobs}/{blob[1]}", "wb") as target:
                shutil.copyfileobj(content_of(archive, entry), target, CHUNK)
    digest = DIGEST.fullmatch(chosen.get("digest", ""))
    if digest is None or not os.path.exists(f"{blobs}/{digest[1]}"):
        raise Refused(
            "archive", f"the archive has no manifest {chosen.get('digest', '')!r}, which its index.json names"
        )
    # skopeo trusts a layout for the digest of its manifest.
    read_json(f"{blobs}/{digest[1]}", digest[0])
    chosen.pop("annotations", None)
    files = {"oci-layout": {"imageLayoutVersion": "1.0.0"}, "index.json": {"schemaVersion": 2, "manifests": [chosen]}}
    for path, content in files.items():
        with open(f"{folder}/{path}", "w", encoding="utf-8") as file:
            json.dump(content, file)
