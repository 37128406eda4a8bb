"""Writes an image without a second copy of its data: each layer goes into the one file system of the layers below it. The layers are hostile."""

import os
import subprocess
import threading

from pyro_image import places
from pyro_image.common import TAR_BLOCK, XATTRS, Refused, progress, run, say, tail
from pyro_image.entries import Entries, directories_of
from pyro_image.layers import ONCE, PIPE, blob_of, check_room, decompressed, fed_to, has_failed
from pyro_image.output import Output
from pyro_image.places import FLAT_MODULES
from pyro_image.tree import remove
from pyro_image.unpack import OPAQUE_MARK, REMOVED

# A fixed UUID and no times of the build: the same image has the same bytes.
MKFS = ["mkfs.erofs", "--quiet", "-T0", "--mkfs-time", "-U", "70797261-0000-4000-8000-000000000000"]
# What a layer's whiteouts hide goes, and the whiteouts with it.
BEGIN = [*MKFS, "--tar=f", *ONCE, "--aufs", "--ovlfs-strip=1"]
ADD = [*BEGIN, "--incremental=data"]


def modules_at(place):
    """tar's operands for the modules, at their place in the root."""
    return ["--directory", os.path.dirname(places.MODULES), f"--transform=s,^modules,{place},S", "modules"]


def run_fed(argv, source_argv):
    """Gives one program what another one writes."""
    source = subprocess.Popen(source_argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, pipesize=PIPE)
    done = subprocess.run(argv, stdin=source.stdout, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    if done.returncode != 0 or has_failed(done.stderr):
        raise Refused("tool", f"{argv[0]} ended with {done.returncode}: {tail(done.stderr)}")
    source.stdout.close()
    error = source.stderr.read()
    if source.wait() != 0:
        raise Refused("tool", f"{source_argv[0]} ended with {source.returncode}: {tail(error)}")


def roomy_root():
    """tar's operands for a root with a time: mkfs.erofs gives it the place of a large inode, where the root of a layer has room."""
    root = "/run/pyro-root"
    os.makedirs(root, mode=0o755, exist_ok=True)
    os.utime(root, (1, 1))
    return ["--no-recursion", "--directory", root, ".", "--recursion"]


class Modules:
    """
    Begins the file system with this kernel's modules, while the layers are fetched: they are as large as a layer. Nothing is to do if the disk
    has them. An image for which this place is wrong gets them once more, at its own.
    """

    def __init__(self):
        self.failure = None
        # Whether a layer may have changed them.
        self.touched = False
        if Output.has_modules:
            self.thread = None
            return
        self.thread = threading.Thread(target=self.write, daemon=True)
        self.thread.start()

    def write(self):
        try:
            # Through an archive with large records: from a directory, mkfs.erofs copies a page at a time.
            archive = ["tar", "--create", "--sort=name", "--numeric-owner", f"--blocking-factor={PIPE // TAR_BLOCK}"]
            run_fed([*BEGIN, Output.path], [*archive, *roomy_root(), *modules_at(FLAT_MODULES)])
        except (Refused, OSError) as error:
            self.failure = error

    def wait(self):
        if self.thread:
            self.thread.join()
        if self.failure:
            raise self.failure


def begin():
    """Makes the file system that images begin with."""
    Modules().wait()
    say(_tag="Began", sizeBytes=Output.end())


def kept_of(number):
    return f"{places.WORK}/directories/{number}.tar"


def flatten(layers, modules):
    """
    All layers in one file system, over the modules. The numbers of layers whose directories are not known; or None if mkfs cannot add a layer
    to those below it, such as a hard link to a file of another layer.
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
    """Directories as the layers have them: what a layer has beneath a directory alone makes it a directory of nobody in particular."""

    def __init__(self, layers, unknown):
        self.layers = layers
        self.unknown = unknown
        self.known = None

    def read(self):
        """The directories of all layers, of the highest one that names them."""
        known = {}
        for number, (layer, _) in enumerate(self.layers, 1):
            if number not in self.unknown:
                known.update(directories_of(kept_of(number)))
                continue
            with open(blob_of(layer), "rb") as source:
                child = subprocess.Popen(
                    decompressed(blob_of(layer)), stdin=source, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
                )
                known.update(directories_of(fileobj=child.stdout, mode="r|"))
                child.stdout.close()
                child.wait()
        return known

    def find(self, place):
        if self.known is None:
            self.known = self.read()
        mode, uid, gid, mtime = self.known.get(os.path.normpath("/" + place), (0o755, 0, 0, 0))
        return mode, uid, gid, int(mtime * 1_000_000_000)


def beneath_of(folder, kind):
    """Paths of one kind in a tree. With find, because Python takes long for a large tree without KVM."""
    listed = subprocess.run(
        ["find", folder, "-xdev", "-type", kind, "-print0"], stdout=subprocess.PIPE, check=True
    ).stdout
    return os.fsdecode(listed).split("\0")[:-1]


def mark(path, name):
    """A name of a layer in a directory, whose times stay."""
    stat = os.stat(path)
    open(f"{path}/{name}", "w").close()
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))


def as_layer(upper):
    """Overlays say by an attribute that a directory hides those below, and by a device that a file is gone. A layer says both by names."""
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


def add_upper(upper, further):
    """Adds the upper directory of an overlay to the file system, and further operands of tar."""
    as_layer(upper)
    # The root goes where the environment has its own. With a time, attributes or large ids it would need more room, and the last root is plain.
    for name in os.listxattr(upper):
        os.removexattr(upper, name)
    os.chown(upper, 0, 0)
    os.utime(upper, (0, 0))
    archive = [
        "tar",
        "--create",
        "--sort=name",
        *XATTRS,
        "--xattrs-exclude=trusted.overlay.*",
        "--directory",
        upper,
        ".",
    ]
    run_fed([*ADD, Output.path], [*archive, *further])
    check_room(True)


def listed(folder):
    """What a tree has, but for its own directory."""
    argv = ["find", folder, "-mindepth", "1", "-printf", "%P %y %m %U %G %s %T@ %l\\0"]
    return sorted(subprocess.run(argv, stdout=subprocess.PIPE, check=True).stdout.split(b"\0"))


def keep_modules(merged, touched):
    """Whether the modules are in the root, and no others. What is below may have removed them, or have its own, if it `touched` them; then they go."""
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


def write_flat(merged, modules):
    """Adds what was changed in the overlay to the file system of the layers, and the modules unless they are there. Gives its size."""
    run(["umount", merged])
    run(["umount", f"{places.WORK}/lower/1"])
    add_upper(f"{places.WORK}/top/upper", modules_at(modules) if modules else [])
    return Output.end()
