"""Unpacks a layer that mkfs.erofs cannot read, for layers.py. Every name and link in it is hostile."""

import os

from pyro_image.common import CHUNK, Refused, tar_module
from pyro_image.tree import Times, beneath, remove

OPAQUE_MARK = ".wh..wh..opq"
REMOVED = ".wh."


# What is wrong with one entry, whatever the system says of it. Other errors are the builder's own.
OF_ENTRY = (OSError, OverflowError, ValueError)
NO_SPACE = 28


def reason_of(error):
    """What the system says, without the builder's own paths."""
    return os.strerror(error.errno) if isinstance(error, OSError) and error.errno else str(error)


def refused_entry(name, reason):
    return Refused("layer", f"the entry {name!r} {reason}")


def apply(stream, root):
    times = Times()
    try:
        with tar_module().open(fileobj=stream, mode="r|", errors="surrogateescape") as archive:
            for entry in archive:
                try:
                    apply_entry(archive, entry, root, times)
                except OF_ENTRY as error:
                    if isinstance(error, OSError) and error.errno == NO_SPACE:
                        raise
                    raise refused_entry(entry.name, f"cannot be unpacked: {reason_of(error)}") from error
    except (tar_module().TarError, EOFError, ValueError, OverflowError) as error:
        raise Refused("layer", f"a layer is no whole tar archive: {error}") from error
    times.restore()


def apply_entry(archive, entry, root, times):
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


def demand_room(entry, path):
    """A sparse file has fewer bytes in the archive than in the tree."""
    disk = os.statvfs(os.path.dirname(path))
    if entry.size > disk.f_bavail * disk.f_frsize:
        raise Refused("full", f"the entry {entry.name!r} has {entry.size} bytes, more than the builder's disk takes")


def linked(entry, path, root):
    """The file that a hard link names."""
    target = beneath(root, entry.linkname)
    if target == path:
        raise refused_entry(entry.name, "is a hard link to itself")
    if not os.path.lexists(target):
        raise refused_entry(entry.name, f"is a hard link to {entry.linkname!r}, which is not there")
    return target


def place(archive, entry, path, root):
    target = linked(entry, path, root) if entry.islnk() else None
    os.makedirs(os.path.dirname(path), exist_ok=True)
    if os.path.lexists(path) and not (entry.isdir() and os.path.isdir(path) and not os.path.islink(path)):
        remove(path)
    if entry.isdir():
        os.makedirs(path, exist_ok=True)
    elif entry.issym():
        os.symlink(entry.linkname, path)
    elif target is not None:
        os.link(target, path, follow_symlinks=False)
        return
    elif entry.isreg():
        demand_room(entry, path)
        with open(path, "wb") as file:
            source = archive.extractfile(entry)
            while piece := source.read(CHUNK):
                file.write(piece)
    elif entry.ischr() or entry.isblk():
        kind = 0o020000 if entry.ischr() else 0o060000
        os.mknod(path, kind | 0o600, os.makedev(entry.devmajor, entry.devminor))
    elif entry.isfifo():
        os.mkfifo(path)
    else:
        raise refused_entry(entry.name, "has an unknown type")
    os.chown(path, entry.uid, entry.gid, follow_symlinks=False)
    if not entry.issym():
        os.chmod(path, entry.mode & 0o7777)
    for key, value in entry.pax_headers.items():
        if key.startswith("SCHILY.xattr."):
            set_attribute(entry, path, key[13:], value.encode("utf-8", "surrogateescape"))
    os.utime(path, (entry.mtime, entry.mtime), follow_symlinks=False)


def set_attribute(entry, path, name, value):
    try:
        os.setxattr(path, name, value, follow_symlinks=False)
    except OSError as error:
        # The room for attributes is another one than the disk's.
        said = (
            f"has the extended attribute {name[:200]!r} of {len(value)} bytes, which cannot be kept: {reason_of(error)}"
        )
        raise refused_entry(entry.name, said) from error
