"""Adds packages to an environment of an image. The image's own tools install them."""

import os
import re
import subprocess

from pyro_image import places
from pyro_image.commit import mount_base, say_made
from pyro_image.common import Refused, progress, run, tail
from pyro_image.mounts import merged_root, mount
from pyro_image.root import complete
from pyro_image.tree import beneath, remove


def release_of(merged):
    """Words of ID and ID_LIKE of os-release. A link could lead to the file of this microVM's own root."""
    for path in ("usr/lib/os-release", "etc/os-release"):
        file = f"{merged}/{path}"
        if os.path.isfile(file) and os.path.realpath(file) == file:
            with open(file, encoding="utf-8", errors="replace") as lines:
                found = dict(re.findall(r'^(ID|ID_LIKE)="?([^"\n]*)"?$', lines.read(65536), re.M))
            return f"{found.get('ID', '')} {found.get('ID_LIKE', '')}".split()
    return []


def installer_of(merged):
    """Commands that install packages, and what they leave behind. Each takes the packages at its end."""
    release = release_of(merged)
    if {"debian", "ubuntu"} & set(release):
        program = "apt-get"
        first = [[program, "-qq", "update"]]
        last = [program, "-qq", "--yes", "--no-install-recommends", "install", "--"]
        left = ["var/lib/apt/lists", "var/cache/apt"]
    elif "alpine" in release:
        program, first, last, left = "apk", [], ["apk", "add", "--quiet", "--no-cache", "--"], []
    else:
        shown = release[0] if release else "no known distribution"
        raise Refused(
            "packages",
            f"the image is of {shown}, and packages are added to Debian, Ubuntu and Alpine; use a Dockerfile",
        )
    if not any(os.path.lexists(f"{merged}/{folder}/{program}") for folder in ("usr/bin", "sbin", "usr/sbin")):
        raise Refused("packages", f"the image has no {program}; use a Dockerfile")
    return first, last, left


class Borrowed:
    """What an installation needs, and what must not stay: file systems of the kernel, a resolver, and a word that starts no service."""

    def __init__(self, merged):
        self.mounts = []
        self.files = []
        for name, argv in (
            ("proc", ["-t", "proc", "proc"]),
            ("sys", ["-t", "sysfs", "sysfs"]),
            ("dev", ["--rbind", "/dev"]),
        ):
            self.mount(argv, beneath(merged, name))
        resolver = beneath(merged, "etc/resolv.conf")
        if not os.path.isfile(resolver) or os.path.islink(resolver):
            if os.path.lexists(resolver):
                os.rename(resolver, f"{resolver}.pyro")
            self.files.append(resolver)
            open(resolver, "w").close()
        self.mount(["--bind", "/etc/resolv.conf"], resolver)
        policy = beneath(merged, "usr/sbin/policy-rc.d")
        if not os.path.lexists(policy) and os.path.isdir(os.path.dirname(policy)):
            self.files.append(policy)
            with open(policy, "w", encoding="utf-8") as file:
                file.write("#!/bin/sh\nexit 101\n")
            os.chmod(policy, 0o755)

    def mount(self, argv, target):
        mount([*argv, target])
        self.mounts.append(target)

    def give_back(self):
        for target in reversed(self.mounts):
            run(["umount", "--recursive", "--lazy", target])
        for path in self.files:
            os.unlink(path)
            if os.path.lexists(f"{path}.pyro"):
                os.rename(f"{path}.pyro", path)


def inside(merged, argv):
    """Runs a program of the image, with all that it leaves running."""
    environment = {
        "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        "DEBIAN_FRONTEND": "noninteractive",
        "HOME": "/root",
        "LC_ALL": "C.UTF-8",
    }
    command = ["unshare", "--pid", "--fork", "--kill-child", "chroot", merged, *argv]
    done = subprocess.run(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=environment
    )
    if done.returncode != 0:
        raise Refused("packages", f"{argv[0]} ended with {done.returncode}: {tail(done.stdout)}")


def add_packages(request):
    os.makedirs(f"{places.WORK}/lower/empty")
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
