"""Adds packages to an environment of an image. The image's own tools install them, and are hostile."""

from __future__ import annotations

import os
import re
import subprocess

from pyro_image.commit import mount_base, say_made
from pyro_image.common import Refused, progress, run, tail
from pyro_image.mounts import merged_root, mount
from pyro_image.root import complete
from pyro_image.tree import beneath, remove

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from pyro_image.requests import AddedRequest

    # Commands that go first, the one that takes packages at its end, and what they leave behind.
    type Installer = tuple[list[list[str]], list[str], list[str]]

MOST_RELEASE_BYTES = 65_536
APT: Installer = (
    [["apt-get", "-qq", "update"]],
    ["apt-get", "-qq", "--yes", "--no-install-recommends", "install", "--"],
    ["var/lib/apt/lists", "var/cache/apt"],
)
APK: Installer = ([], ["apk", "add", "--quiet", "--no-cache", "--"], [])
ENVIRONMENT = {
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "DEBIAN_FRONTEND": "noninteractive",
    "HOME": "/root",
    "LC_ALL": "C.UTF-8",
}


def release_of(merged: str) -> list[str]:
    """Words of ID and ID_LIKE of os-release. A link could lead to the file of this microVM's own root."""
    for path in ("usr/lib/os-release", "etc/os-release"):
        file = f"{merged}/{path}"
        if os.path.isfile(file) and os.path.realpath(file) == file:
            with open(file, encoding="utf-8", errors="replace") as lines:
                found = dict(re.findall(r'^(ID|ID_LIKE)="?([^"\n]*)"?$', lines.read(MOST_RELEASE_BYTES), re.M))
            return f"{found.get('ID', '')} {found.get('ID_LIKE', '')}".split()
    return []


def installer_of(merged: str) -> Installer:
    release = release_of(merged)
    if {"debian", "ubuntu"} & set(release):
        program, installer = "apt-get", APT
    elif "alpine" in release:
        program, installer = "apk", APK
    else:
        shown = release[0] if release else "no known distribution"
        advice = "packages are added to Debian, Ubuntu and Alpine; use a Dockerfile"
        raise Refused("packages", f"the image is of {shown}, and {advice}")
    if not any(os.path.lexists(f"{merged}/{folder}/{program}") for folder in ("usr/bin", "sbin", "usr/sbin")):
        raise Refused("packages", f"the image has no {program}; use a Dockerfile")
    return installer


class Borrowed:
    """What an installation needs, and what must not stay.

    File systems of the kernel, a resolver, and a word that starts no service.
    """

    def __init__(self, merged: str) -> None:
        self.mounts: list[str] = []
        self.files: list[str] = []
        kernel = {"proc": ["-t", "proc", "proc"], "sys": ["-t", "sysfs", "sysfs"], "dev": ["--rbind", "/dev"]}
        for name, argv in kernel.items():
            self.mount(argv, beneath(merged, name))
        resolver = beneath(merged, "etc/resolv.conf")
        if not os.path.isfile(resolver) or os.path.islink(resolver):
            if os.path.lexists(resolver):
                os.rename(resolver, f"{resolver}.pyro")
            self.files.append(resolver)
            with open(resolver, "w"):
                pass
        self.mount(["--bind", "/etc/resolv.conf"], resolver)
        policy = beneath(merged, "usr/sbin/policy-rc.d")
        if not os.path.lexists(policy) and os.path.isdir(os.path.dirname(policy)):
            self.files.append(policy)
            with open(policy, "w", encoding="utf-8") as file:
                file.write("#!/bin/sh\nexit 101\n")
            os.chmod(policy, 0o755)

    def mount(self, argv: Sequence[str], target: str) -> None:
        mount([*argv, target])
        self.mounts.append(target)

    def give_back(self) -> None:
        for target in reversed(self.mounts):
            run(["umount", "--recursive", "--lazy", target])
        for path in self.files:
            os.unlink(path)
            if os.path.lexists(f"{path}.pyro"):
                os.rename(f"{path}.pyro", path)


def inside(merged: str, argv: Sequence[str]) -> None:
    """Runs a program of the image, with all that it leaves running."""
    done = subprocess.run(
        ["unshare", "--pid", "--fork", "--kill-child", "chroot", merged, *argv],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=ENVIRONMENT,
        check=False,
    )
    if done.returncode != 0:
        raise Refused("packages", f"{argv[0]} ended with {done.returncode}: {tail(done.stdout)}")


def add_packages(request: AddedRequest) -> None:
    mount_base(1)
    merged = merged_root([1])
    first, last, left = installer_of(merged)
    borrowed = Borrowed(merged)
    progress("fetching lists of packages", 0.2)
    for argv in first:
        inside(merged, argv)
    progress("installing packages", 0.4)
    inside(merged, [*last, *request["packages"]])
    borrowed.give_back()
    for path in left:
        folder = beneath(merged, path)
        for name in os.listdir(folder) if os.path.isdir(folder) and not os.path.islink(folder) else []:
            remove(os.path.join(folder, name))
    progress("writing the image", 0.8)
    say_made(request, merged, complete(merged))
