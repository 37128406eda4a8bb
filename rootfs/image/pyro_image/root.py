"""Completes a root, and reads what it says of its packages. The root is hostile."""

from __future__ import annotations

import os
import subprocess

from pyro_image import places
from pyro_image.common import Refused
from pyro_image.places import FLAT_MODULES
from pyro_image.tree import Times, beneath, remove

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Protocol

    class Directories(Protocol):
        def find(self, place: str) -> tuple[int, int, int, int]:
            """Mode, owner, group and time in ns of a directory, as the layers have it."""


TYPE = 0o170000
DIRECTORY = 0o040000
# Directories that a root must have, with their modes.
MOUNT_POINTS = (
    ("proc", 0o555),
    ("sys", 0o555),
    ("dev", 0o755),
    ("run", 0o755),
    ("tmp", 0o1777),
    ("workspace", 0o755),
    ("etc", 0o755),
)
# Files of /etc that pyro writes.
OWN_FILES = ("hostname", "hosts", "machine-id", "resolv.conf")
MOST_PACKAGES_BYTES = 1 << 20


def link(root: str, place: str) -> None:
    """Another name of /workspace, where a dev container expects its project. What is there already stays."""
    made = beneath(root, place)
    if os.path.lexists(made):
        return
    times = Times()
    times.keep(os.path.dirname(made))
    os.makedirs(os.path.dirname(made), exist_ok=True)
    os.symlink("/workspace", made)
    os.utime(made, (0, 0), follow_symlinks=False)
    times.restore()


def is_implied(stat: os.stat_result) -> bool:
    """Whether a directory is as mkfs.erofs makes one that is only in the path of an entry."""
    return stat.st_mode & 0o7777 == 0o777 and stat.st_uid == 0 and stat.st_gid == 0 and stat.st_mtime == 0


class ImpliedOfMounts:
    """Directories of mounted layers, by the layers' numbers."""

    def __init__(self, numbers: Sequence[int]) -> None:
        self.numbers = numbers

    def find(self, place: str) -> tuple[int, int, int, int]:
        for number in reversed(self.numbers):
            try:
                stat = os.lstat(f"{places.WORK}/lower/{number}/{place}")
            except OSError:
                continue
            if stat.st_mode & TYPE == DIRECTORY and not is_implied(stat):
                return stat.st_mode & 0o7777, stat.st_uid, stat.st_gid, stat.st_mtime_ns
        return 0o755, 0, 0, 0


def complete_implied(root: str, below: str, layers: Directories) -> None:
    """A layer may have /etc/passwd without /etc.

    Such a directory stays as the layers below have it, as in container engines; else it is root's. `below`: the same
    tree, perhaps without the overlay, which makes a search several times as slow.
    """
    looks = ["-type", "d", "-perm", "0777", "-uid", "0", "-gid", "0", "!", "-newermt", "@0"]
    found = ["find", below, "-xdev", *looks, "-printf", "%P\\0"]
    listed = subprocess.run(found, stdout=subprocess.PIPE, check=True).stdout
    for place in os.fsdecode(listed).split("\0")[:-1]:
        path = os.path.join(root, place)
        mode, uid, gid, time = layers.find(place)
        os.chown(path, uid, gid)
        os.chmod(path, mode)
        os.utime(path, ns=(time, time))


def make_mount_points(root: str) -> None:
    for name, mode in MOUNT_POINTS:
        path = f"{root}/{name}"
        if not os.path.lexists(path):
            os.mkdir(path)
            os.chmod(path, mode)
            os.utime(path, (0, 0))
        elif os.path.islink(path) or not os.path.isdir(path):
            raise Refused("image", f"/{name} is no directory")


def make_files(root: str) -> None:
    for name in OWN_FILES:
        path = f"{root}/etc/{name}"
        if os.path.islink(path):
            os.unlink(path)
        if os.path.lexists(path) and not os.path.isfile(path):
            raise Refused("image", f"/etc/{name} is no file")
        with open(path, "w"):
            pass
        os.utime(path, (0, 0))
    mtab = f"{root}/etc/mtab"
    if not os.path.lexists(mtab):
        os.symlink("../proc/self/mounts", mtab)
        os.utime(mtab, (0, 0), follow_symlinks=False)


def place_modules(root: str, lib: str, has_modules: bool) -> str:
    """The directory for the modules, or a link to where they are. Gives its path."""
    modules = f"{lib}/modules"
    target = f"../{FLAT_MODULES}"
    if has_modules and lib == f"{root}/lib":
        remove(modules)
        os.symlink(target, modules)
        os.utime(modules, (0, 0), follow_symlinks=False)
    elif not has_modules:
        # The modules of an environment that this one is made of.
        place = f"{root}/{FLAT_MODULES}"
        if os.path.islink(modules) and os.readlink(modules) == target and os.path.realpath(place) == place:
            remove(place)
        remove(modules)
        os.mkdir(modules)
    return modules


def complete(root: str, has_modules: bool = False) -> str | None:
    """What pyro needs of any root: mount points, files that it writes, and a directory for its kernel's modules.

    Gives that directory's path. All have the time 0. `has_modules`: the modules are in usr/lib, and lib gets a link to
    them.
    """
    folders = (f"{root}/etc", f"{root}/lib", f"{root}/usr/lib")
    before = {path: os.lstat(path) for path in folders if os.path.isdir(path) and not os.path.islink(path)}
    make_mount_points(root)
    make_files(root)
    lib = f"{root}/lib"
    if os.path.islink(lib) and os.path.isdir(f"{root}/usr/lib"):
        lib = f"{root}/usr/lib"
    os.makedirs(lib, exist_ok=True)
    modules = place_modules(root, lib, has_modules)
    for path, stat in before.items():
        os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    # The root itself is the overlay's, and as new as the build.
    for path in (root, f"{root}/etc", lib):
        if path not in before:
            os.utime(path, (0, 0))
    return None if has_modules else os.path.relpath(modules, root)


def make_directory(root: str, path: str, name: str) -> None:
    """Makes the image's working directory or a volume, as container engines do. Its links lead to the image."""
    child = os.fork()
    if child == 0:
        try:
            os.chroot(root)
            os.chdir("/")
            above = path
            while not os.path.exists(above):
                above = os.path.dirname(above)
            before = os.stat(above)
            os.makedirs(path, exist_ok=True)
            made = path
            while made != above:
                os.utime(made, (0, 0))
                made = os.path.dirname(made)
            os.utime(above, ns=(before.st_atime_ns, before.st_mtime_ns))
        except OSError:
            os._exit(1)
        os._exit(0)
    if os.waitpid(child, 0)[1] != 0:
        raise Refused("image", f"its {name} {path!r} cannot be made")


def packages_of(root: str) -> str:
    """Debian packages of the image. Other package managers have no list here."""
    listed = subprocess.run(
        ["dpkg-query", f"--admindir={root}/var/lib/dpkg", "-W", "-f", "${Package}=${Version}\\n"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        check=False,
    )
    return listed.stdout.decode("utf-8", "replace")[:MOST_PACKAGES_BYTES] if listed.returncode == 0 else ""
