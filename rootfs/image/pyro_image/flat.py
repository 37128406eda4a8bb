"""Writes an image without a second copy of its data: each layer goes into the one file system of the layers below it.

The layers are hostile.
"""

from __future__ import annotations

import os
import subprocess
import threading

from pyro_image import places
from pyro_image.common import TAR_BLOCK, XATTRS, Refused, progress, run, say, tail
from pyro_image.entries import Entries, directories_of
from pyro_image.layers import ONCE, PIPE, blob_of, check_room, decompressed, fed_to, has_failed
from pyro_image.output import MKFS, Output
from pyro_image.places import FLAT_MODULES
from pyro_image.tree import OPAQUE_MARK, REMOVED, remove

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from pyro_image.entries import Directory
    from pyro_image.layers import Layer

# What a layer's whiteouts hide goes, and the whiteouts with it.
BEGIN = [*MKFS, "--tar=f", *ONCE, "--aufs", "--ovlfs-strip=1"]
ADD = [*BEGIN, "--incremental=data"]
NS = 1_000_000_000
# A directory that no layer names.
UNNAMED: Directory = (0o755, 0, 0, 0)


def modules_at(place: str) -> list[str]:
    """tar's operands for the modules, at their place in the root."""
    return ["--directory", os.path.dirname(places.MODULES), f"--transform=s,^modules,{place},S", "modules"]


def run_fed(argv: Sequence[str], source_argv: Sequence[str]) -> None:
    """Gives one program what another one writes."""
    source = subprocess.Popen(source_argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, pipesize=PIPE)
    assert source.stdout is not None and source.stderr is not None
    done = subprocess.run(argv, stdin=source.stdout, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, check=False)
    if done.returncode != 0 or has_failed(done.stderr):
        raise Refused("tool", f"{argv[0]} ended with {done.returncode}: {tail(done.stderr)}")
    source.stdout.close()
    error = source.stderr.read()
    if source.wait() != 0:
        raise Refused("tool", f"{source_argv[0]} ended with {source.returncode}: {tail(error)}")


def roomy_root() -> list[str]:
    """tar's operands for a root with a time.

    mkfs.erofs gives it the place of a large inode, where the root of a layer has room.
    """
    root = "/run/pyro-root"
    os.makedirs(root, mode=0o755, exist_ok=True)
    os.utime(root, (1, 1))
    return ["--no-recursion", "--directory", root, ".", "--recursion"]


class Modules:
    """Begins the file system with this kernel's modules, while the layers are fetched: they are as large as a layer.

    Nothing is to do if the disk has them. An image for which this place is wrong gets them once more, at its own.
    """

    def __init__(self) -> None:
        self.failure: Exception | None = None
        # Whether a layer may have changed them.
        self.touched = False
        self.thread: threading.Thread | None = None
        if Output.has_modules:
            return
        self.thread = threading.Thread(target=self.write, daemon=True)
        self.thread.start()

    def write(self) -> None:
        try:
            # Through an archive with large records: from a directory, mkfs.erofs copies a page at a time.
            archive = ["tar", "--create", "--sort=name", "--numeric-owner", f"--blocking-factor={PIPE // TAR_BLOCK}"]
            run_fed([*BEGIN, Output.path], [*archive, *roomy_root(), *modules_at(FLAT_MODULES)])
        except (Refused, OSError) as error:
            self.failure = error

    def wait(self) -> None:
        if self.thread:
            self.thread.join()
        if self.failure:
            raise self.failure


def begin() -> None:
    """Makes the file system that images begin with."""
    Modules().wait()
    say(_tag="Began", sizeBytes=Output.end())


def begun_anew() -> Modules:
    """The beginning of an image that begins with none of the environments that the host gave."""
    if Output.has_base:
        Output.clear()
    return Modules()


def kept_of(number: int) -> str:
    return f"{places.WORK}/directories/{number}.tar"


def flatten(layers: Sequence[Layer], modules: Modules) -> set[int] | None:
    """All layers in one file system, over the modules. The numbers of layers whose directories are not known.

    None if mkfs cannot add a layer to those below it, such as a hard link to a file of another layer.
    """
    modules.wait()
    os.makedirs(f"{places.WORK}/directories")
    unknown = set()
    for number, (layer, diff_id) in enumerate(layers, 1):
        progress(f"unpacking layer {number} of {len(layers)}", 0.4 + 0.4 * (number - 1) / len(layers))
        entries = Entries(kept_of(number))
        if not fed_to([*ADD, Output.path], blob_of(layer), diff_id, entries):
            Output.clear()
            return None
        modules.touched = modules.touched or entries.touches_modules
        if entries.gave_up:
            unknown.add(number)
    return unknown


class Implied:
    """Directories as the layers have them.

    What a layer has beneath a directory alone makes it a directory of nobody in particular.
    """

    def __init__(self, layers: Sequence[Layer], unknown: set[int]) -> None:
        self.layers = layers
        self.unknown = unknown
        self.known: dict[str, Directory] | None = None

    def read(self) -> dict[str, Directory]:
        """The directories of all layers, of the highest one that names them."""
        known: dict[str, Directory] = {}
        for number, (layer, _) in enumerate(self.layers, 1):
            if number not in self.unknown:
                with open(kept_of(number), "rb") as kept:
                    known.update(directories_of(kept))
                continue
            argv = decompressed(blob_of(layer))
            with open(blob_of(layer), "rb") as source:
                child = subprocess.Popen(argv, stdin=source, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
                assert child.stdout is not None
                known.update(directories_of(child.stdout))
                child.stdout.close()
                child.wait()
        return known

    def find(self, place: str) -> tuple[int, int, int, int]:
        """Mode, owner, group and time in ns of a directory."""
        if self.known is None:
            self.known = self.read()
        mode, uid, gid, mtime = self.known.get(os.path.normpath("/" + place), UNNAMED)
        return mode, uid, gid, int(mtime * NS)


def beneath_of(folder: str, kind: str) -> list[str]:
    """Paths of one kind in a tree. With find, because Python takes long for a large tree without KVM."""
    argv = ["find", folder, "-xdev", "-type", kind, "-print0"]
    return os.fsdecode(subprocess.run(argv, stdout=subprocess.PIPE, check=True).stdout).split("\0")[:-1]


def mark(path: str, name: str) -> None:
    """A name of a layer in a directory, whose times stay."""
    stat = os.stat(path)
    with open(f"{path}/{name}", "w"):
        pass
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))


def as_layer(upper: str) -> None:
    """Overlays say by an attribute that a directory hides those below, and by a device that a file is gone.

    A layer says both by names.
    """
    for folder in beneath_of(upper, "d"):
        try:
            os.getxattr(folder, "trusted.overlay.opaque")
        except OSError:
            continue
        mark(folder, OPAQUE_MARK)
    for path in beneath_of(upper, "c"):
        if os.lstat(path).st_rdev != 0:
            continue
        folder, name = os.path.split(path)
        stat = os.stat(folder)
        os.unlink(path)
        mark(folder, REMOVED + name)
        os.utime(folder, ns=(stat.st_atime_ns, stat.st_mtime_ns))


def add_upper(upper: str, further: Sequence[str]) -> None:
    """Adds the upper directory of an overlay to the file system, and further operands of tar."""
    as_layer(upper)
    # The root goes where the environment has its own. With a time, attributes or large ids it would need more room, and
    # the last root is plain.
    for name in os.listxattr(upper):
        os.removexattr(upper, name)
    os.chown(upper, 0, 0)
    os.utime(upper, (0, 0))
    archive = ["tar", "--create", "--sort=name", *XATTRS, "--xattrs-exclude=trusted.overlay.*"]
    run_fed([*ADD, Output.path], [*archive, "--directory", upper, ".", *further])
    check_room(True)


def listed(folder: str) -> list[bytes]:
    """What a tree has, but for its own directory."""
    argv = ["find", folder, "-mindepth", "1", "-printf", "%P %y %m %U %G %s %T@ %l\\0"]
    return sorted(subprocess.run(argv, stdout=subprocess.PIPE, check=True).stdout.split(b"\0"))


def keep_modules(merged: str, touched: bool) -> bool:
    """Whether the modules are in the root, and no others.

    What is below may have removed them, or have its own, if it `touched` them; then they go.
    """
    place = f"{merged}/{FLAT_MODULES}"
    if not os.path.isdir(place) or os.path.realpath(place) != place:
        return False
    if not touched or listed(place) == listed(places.MODULES):
        return True
    stat = os.stat(place)
    for name in os.listdir(places.MODULES):
        remove(f"{place}/{name}")
    os.utime(place, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    return False


def write_flat(merged: str, modules: str | None) -> int:
    """Adds what was changed in the overlay to the layers, and the modules unless they are there. Gives the size."""
    run(["umount", merged])
    run(["umount", f"{places.WORK}/lower/1"])
    add_upper(f"{places.WORK}/top/upper", modules_at(modules) if modules else [])
    return Output.end()
