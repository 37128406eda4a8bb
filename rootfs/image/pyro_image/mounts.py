"""Mounts the file systems of layers, and one root over them."""

import os

from pyro_image import places
from pyro_image.common import run


def mount(argv):
    run(["mount", *argv], cwd=f"{places.WORK}/lower")


def mount_erofs(file, number):
    """At a numbered lower directory."""
    at = f"{places.WORK}/lower/{number}"
    os.makedirs(at)
    mount_file(file, at)


def mount_file(file, at):
    if file.startswith("/dev/"):
        mount(["-t", "erofs", "-o", "ro", file, at])
        return
    run(["modprobe", "loop"])
    mount(["-t", "erofs", "-o", "ro,loop", file, at])


def lower(numbers):
    """Relative names: the list of all layers must fit in a page."""
    return ":".join(str(number) for number in reversed(numbers))


def merged_root(numbers):
    """A writable root over numbered lower directories, the lowest first."""
    upper, work, merged = (f"{places.WORK}/top/{name}" for name in ("upper", "work", "merged"))
    for folder in (upper, work, merged):
        os.makedirs(folder)
    mount(
        [
            "-t",
            "overlay",
            "overlay",
            "-o",
            f"lowerdir={lower(numbers) or 'empty'},upperdir={upper},workdir={work}",
            merged,
        ]
    )
    return merged
