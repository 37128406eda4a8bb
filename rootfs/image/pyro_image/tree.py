"""Paths of a hostile tree."""

import os

from pyro_image.common import Refused, run


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
