"""Mounts the file systems of layers, and one root over them."""

from __future__ import annotations

import os

from pyro_image import places
from pyro_image.common import run

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence


def mount(argv: Sequence[str]) -> None:
    run(["mount", *argv], cwd=f"{places.WORK}/lower")


def mount_erofs(file: str, number: int) -> None:
    """At a numbered lower directory."""
    at = f"{places.WORK}/lower/{number}"
    os.makedirs(at)
    mount_file(file, at)


def mount_file(file: str, at: str) -> None:
    if file.startswith("/dev/"):
        mount(["-t", "erofs", "-o", "ro", file, at])
        return
    run(["modprobe", "loop"])
    mount(["-t", "erofs", "-o", "ro,loop", file, at])


def lower(numbers: Sequence[int]) -> str:
    """Relative names: the list of all layers must fit in a page."""
    return ":".join(str(number) for number in reversed(numbers)) or "empty"


def mount_overlay(folder: str, numbers: Sequence[int]) -> str:
    """A writable root in `folder` over numbered lower directories, the lowest first. Its changes are in `upper`."""
    upper, work, merged = (f"{folder}/{name}" for name in ("upper", "work", "merged"))
    for one in (upper, work, merged):
        os.makedirs(one)
    options = f"lowerdir={lower(numbers)},upperdir={upper},workdir={work}"
    mount(["-t", "overlay", "overlay", "-o", options, merged])
    return merged


def merged_root(numbers: Sequence[int]) -> str:
    """The root that becomes the environment."""
    return mount_overlay(f"{places.WORK}/top", numbers)
