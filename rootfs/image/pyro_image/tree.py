"""Paths of a hostile tree."""

from __future__ import annotations

import os

from pyro_image.common import Refused, run

# Names in a layer: of a directory that hides what is below, and before the name of what a layer removes.
OPAQUE_MARK = ".wh..wh..opq"
REMOVED = ".wh."
# Python makes the directories above an entry by a call for each, and has some thousand calls.
MOST_LEVELS = 512
MOST_SHOWN = 100


def beneath(root: str, name: str) -> str:
    """The path of an entry.

    Refuses what leaves the root: a hostile image could only hurt this microVM, but would be no image.
    """
    parts = [part for part in name.split("/") if part not in ("", ".")]
    if ".." in parts:
        raise Refused("layer", f"an entry with .. in its path: {name!r}")
    if len(parts) > MOST_LEVELS:
        raise Refused("layer", f"an entry with more than {MOST_LEVELS} levels in its path: {name[:MOST_SHOWN]!r}…")
    at = root
    for part in parts[:-1]:
        at = os.path.join(at, part)
        if os.path.islink(at):
            raise Refused("layer", f"an entry beneath a symbolic link: {name!r}")
    return os.path.join(root, *parts)


def remove(path: str) -> None:
    run(["rm", "-rf", "--one-file-system", "--", path])


class Times:
    """Times of directories, which each entry in them changes.

    Directories that the archive does not name have the time 0, or keep theirs.
    """

    def __init__(self) -> None:
        self.known: dict[str, float] = {}

    def keep(self, folder: str) -> None:
        if folder not in self.known:
            self.known[folder] = os.lstat(folder).st_mtime if os.path.isdir(folder) else 0
            if not os.path.isdir(folder):
                self.keep(os.path.dirname(folder))

    def restore(self) -> None:
        for folder, time in self.known.items():
            if os.path.isdir(folder) and not os.path.islink(folder):
                os.utime(folder, (time, time))
