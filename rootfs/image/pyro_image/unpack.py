"""
Unpacks a layer that mkfs.erofs cannot read. Every name and link in it is hostile. `flat` lays layers over one another
by mkfs.erofs where it can read them, and `layers` decides for one layer.
"""

from __future__ import annotations

import os
import tarfile

from pyro_image.common import CHUNK, Refused
from pyro_image.tree import OPAQUE_MARK, REMOVED, Times, beneath, remove

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import IO

# What is wrong with one entry, whatever the system says of it. Other errors are the builder's own.
OF_ENTRY = (OSError, OverflowError, ValueError)
OF_ARCHIVE = (tarfile.TarError, EOFError, ValueError, OverflowError)
NO_SPACE = 28
ATTRIBUTE = "SCHILY.xattr."
MOST_ATTRIBUTE_NAME = 200
CHARACTER_DEVICE = 0o020000
BLOCK_DEVICE = 0o060000


def reason_of(error: Exception) -> str:
    """What the system says, without the builder's own paths."""
    return os.strerror(error.errno) if isinstance(error, OSError) and error.errno else str(error)


def refused_entry(name: str, reason: str) -> Refused:
    return Refused("layer", f"the entry {name!r} {reason}")


def apply(stream: IO[bytes], root: str) -> None:
    """Unpacks a layer over the tree in `root`."""
    times = Times()
    try:
        with tarfile.open(fileobj=stream, mode="r|", errors="surrogateescape") as archive:
            for entry in archive:
                try:
                    apply_entry(archive, entry, root, times)
                except OF_ENTRY as error:
                    if isinstance(error, OSError) and error.errno == NO_SPACE:
                        raise
                    raise refused_entry(entry.name, f"cannot be unpacked: {reason_of(error)}") from error
    except OF_ARCHIVE as error:
        raise Refused("layer", f"a layer is no whole tar archive: {error}") from error
    times.restore()


def apply_entry(archive: tarfile.TarFile, entry: tarfile.TarInfo, root: str, times: Times) -> None:
    path = beneath(root, entry.name)
    if path == root:
        if not entry.isdir():
            raise refused_entry(entry.name, "is the root, and no directory")
        place(archive, entry, path, root)
        times.known[path] = entry.mtime
        return
    folder, name = os.path.split(path)
    times.keep(folder)
    if name == OPAQUE_MARK:
        for one in os.listdir(folder):
            remove(os.path.join(folder, one))
    elif name.startswith(REMOVED):
        hidden = name[len(REMOVED) :]
        if hidden in ("", ".", ".."):
            raise refused_entry(entry.name, "removes no name")
        remove(os.path.join(folder, hidden))
    else:
        place(archive, entry, path, root)
        if entry.isdir():
            times.known[path] = entry.mtime


def demand_room(entry: tarfile.TarInfo, path: str) -> None:
    """A sparse file has fewer bytes in the archive than in the tree."""
    disk = os.statvfs(os.path.dirname(path))
    if entry.size > disk.f_bavail * disk.f_frsize:
        raise Refused("full", f"the entry {entry.name!r} has {entry.size} bytes, more than the builder's disk takes")


def linked(entry: tarfile.TarInfo, path: str, root: str) -> str:
    """The file that a hard link names."""
    target = beneath(root, entry.linkname)
    if target == path:
        raise refused_entry(entry.name, "is a hard link to itself")
    if not os.path.lexists(target):
        raise refused_entry(entry.name, f"is a hard link to {entry.linkname!r}, which is not there")
    return target


def place(archive: tarfile.TarFile, entry: tarfile.TarInfo, path: str, root: str) -> None:
    target = linked(entry, path, root) if entry.islnk() else None
    os.makedirs(os.path.dirname(path), exist_ok=True)
    if os.path.lexists(path) and not (entry.isdir() and os.path.isdir(path) and not os.path.islink(path)):
        remove(path)
    if target is not None:
        os.link(target, path, follow_symlinks=False)
        return
    make(archive, entry, path)
    describe(entry, path)


def make(archive: tarfile.TarFile, entry: tarfile.TarInfo, path: str) -> None:
    """Makes what the entry is, but for hard links."""
    if entry.isdir():
        os.makedirs(path, exist_ok=True)
    elif entry.issym():
        os.symlink(entry.linkname, path)
    elif entry.isreg():
        demand_room(entry, path)
        source = archive.extractfile(entry)
        assert source is not None
        with open(path, "wb") as file:
            while piece := source.read(CHUNK):
                file.write(piece)
    elif entry.ischr() or entry.isblk():
        kind = CHARACTER_DEVICE if entry.ischr() else BLOCK_DEVICE
        os.mknod(path, kind | 0o600, os.makedev(entry.devmajor, entry.devminor))
    elif entry.isfifo():
        os.mkfifo(path)
    else:
        raise refused_entry(entry.name, "has an unknown type")


def describe(entry: tarfile.TarInfo, path: str) -> None:
    """Gives a file its owner, mode, attributes and time. A change of owner clears bits of the mode and capabilities."""
    os.chown(path, entry.uid, entry.gid, follow_symlinks=False)
    if not entry.issym():
        os.chmod(path, entry.mode & 0o7777)
    for key, value in entry.pax_headers.items():
        if key.startswith(ATTRIBUTE):
            set_attribute(entry, path, key[len(ATTRIBUTE) :], value.encode("utf-8", "surrogateescape"))
    os.utime(path, (entry.mtime, entry.mtime), follow_symlinks=False)


def set_attribute(entry: tarfile.TarInfo, path: str, name: str, value: bytes) -> None:
    try:
        os.setxattr(path, name, value, follow_symlinks=False)
    except OSError as error:
        # The room for attributes is another one than the disk's.
        said = f"the extended attribute {name[:MOST_ATTRIBUTE_NAME]!r} of {len(value)} bytes"
        raise refused_entry(entry.name, f"has {said}, which cannot be kept: {reason_of(error)}") from error
