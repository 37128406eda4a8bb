"""Unpacks a layer that mkfs.erofs cannot read, for layers.py. Every name and link in it is hostile."""


def beneath(root, name):
    """The path of an entry. Refuses what leaves the root: a hostile image could only hurt this microVM, but would be no image."""
    parts = [part for part in name.split("/") if part not in ("", ".")]
    if ".." in parts:
        raise Refused("layer", f"an entry with .. in its path: {name!r}")
    at = root
    for part in parts[:-1]:
        at = os.path.join(at, part)
        if os.path.islink(at):
            raise Refused("layer", f"an entry beneath a symbolic link: {name!r}")
    return os.path.join(root, *parts)


def remove(path):
    run(["rm", "-rf", "--one-file-system", "--", path])


class Times:
    """Times of directories, which each entry in them changes. Directories that the archive does not name have the time 0, or keep theirs."""

    def __init__(self):
        self.known = {}

    def keep(self, folder):
        if folder not in self.known:
            self.known[folder] = os.lstat(folder).st_mtime if os.path.isdir(folder) else 0
            if not os.path.isdir(folder):
                self.keep(os.path.dirname(folder))

    def restore(self):
        for folder, time in self.known.items():
            if os.path.isdir(folder) and not os.path.islink(folder):
                os.utime(folder, (time, time))


def apply(stream, root):
    times = Times()
    with tar_module().open(fileobj=stream, mode="r|", errors="surrogateescape") as archive:
        for entry in archive:
            path = beneath(root, entry.name)
            name = os.path.basename(path)
            times.keep(os.path.dirname(path))
            if name == ".wh..wh..opq":
                for one in os.listdir(os.path.dirname(path)):
                    remove(os.path.join(os.path.dirname(path), one))
            elif name.startswith(".wh."):
                remove(os.path.join(os.path.dirname(path), name[4:]))
            else:
                place(archive, entry, path, root)
                if entry.isdir():
                    times.known[path] = entry.mtime
    times.restore()


def place(archive, entry, path, root):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    if os.path.lexists(path) and not (entry.isdir() and os.path.isdir(path) and not os.path.islink(path)):
        remove(path)
    if entry.isdir():
        os.makedirs(path, exist_ok=True)
    elif entry.issym():
        os.symlink(entry.linkname, path)
    elif entry.islnk():
        os.link(beneath(root, entry.linkname), path, follow_symlinks=False)
        return
    elif entry.isreg():
        with open(path, "wb") as target:
            source = archive.extractfile(entry)
            while piece := source.read(CHUNK):
                target.write(piece)
    elif entry.ischr() or entry.isblk():
        kind = 0o020000 if entry.ischr() else 0o060000
        os.mknod(path, kind | 0o600, os.makedev(entry.devmajor, entry.devminor))
    elif entry.isfifo():
        os.mkfifo(path)
    else:
        raise Refused("layer", f"an entry of unknown type: {entry.name!r}")
    os.chown(path, entry.uid, entry.gid, follow_symlinks=False)
    if not entry.issym():
        os.chmod(path, entry.mode & 0o7777)
    for key, value in entry.pax_headers.items():
        if key.startswith("SCHILY.xattr."):
            os.setxattr(path, key[13:], value.encode("utf-8", "surrogateescape"), follow_symlinks=False)
    os.utime(path, (entry.mtime, entry.mtime), follow_symlinks=False)
