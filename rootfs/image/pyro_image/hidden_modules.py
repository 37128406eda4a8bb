"""Hides the modules of pyro's kernel from the steps of a Dockerfile: they are in each environment, and in no image.

The root is hostile.
"""

from __future__ import annotations

import os

from pyro_image.places import FLAT_MODULES


def is_folder(path: str) -> bool:
    return os.path.isdir(path) and not os.path.islink(path)


def places_of_modules(root: str) -> list[str]:
    """Where `complete` puts the modules. usr/lib/modules beside another place is the image's own."""
    if not is_folder(f"{root}/lib"):
        return [FLAT_MODULES]
    modules = f"{root}/lib/modules"
    is_link = os.path.islink(modules) and os.readlink(modules) == f"../{FLAT_MODULES}"
    return ["lib/modules", *([FLAT_MODULES] if is_link else [])]


def copy_attributes(source: str, target: str) -> None:
    """Those of a directory. The overlay's own would hide what is below."""
    stat = os.stat(source)
    os.chown(target, stat.st_uid, stat.st_gid)
    os.chmod(target, stat.st_mode & 0o7777)
    for name in os.listxattr(source):
        if not name.startswith("trusted.overlay."):
            os.setxattr(target, name, os.getxattr(source, name))
    os.utime(target, ns=(stat.st_atime_ns, stat.st_mtime_ns))


def hide_modules(root: str, upper: str) -> None:
    """Fills the directory of an overlay's layer, so that it hides the modules below and changes no directory."""
    folders = {""}
    for place in places_of_modules(root):
        parents = [place[:at] for at, letter in enumerate(place) if letter == "/"]
        if not all(is_folder(f"{root}/{parent}") for parent in parents) or not os.path.lexists(f"{root}/{place}"):
            continue
        for parent in parents:
            os.makedirs(f"{upper}/{parent}", exist_ok=True)
        folders.update(parents)
        os.mknod(f"{upper}/{place}", 0o020000, 0)
    for folder in sorted(folders, reverse=True):
        copy_attributes(f"{root}/{folder}", f"{upper}/{folder}")
