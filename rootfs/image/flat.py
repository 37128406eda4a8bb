"""Writes an image without a second copy of its data: each layer goes into the one file system of the layers below it. For image.py, which is
behind this text in one program. The layers are hostile."""

FLAT = f"{WORK}/root.erofs"
# A fixed UUID and no times of the build: the same image has the same bytes.
MKFS = ["mkfs.erofs", "--quiet", "-T0", "--mkfs-time", "-U", "70797261-0000-4000-8000-000000000000"]
# What a layer's whiteouts hide goes, and the whiteouts with it.
ADD = ["--tar=f", "--aufs", "--ovlfs-strip=1"]
OPAQUE = ".wh..wh..opq"


def add_to_flat(is_first):
    return [*MKFS, *([] if is_first else ["--incremental=data"]), *ADD, FLAT]


def flatten(layers):
    """All layers in one file system. False if mkfs cannot add one to those below it, such as a hard link to a file of another layer."""
    for number, (layer, diff_id) in enumerate(layers, 1):
        progress(f"unpacking layer {number} of {len(layers)}", 0.4 + 0.4 * (number - 1) / len(layers))
        if not fed_to(add_to_flat(number == 1), blob_of(layer), diff_id):
            if os.path.lexists(FLAT):
                os.unlink(FLAT)
            return False
    return len(layers) > 0


class Implied:
    """Directories as the layers have them: what a layer has beneath a directory alone makes it a directory of nobody in particular."""

    def __init__(self, layers):
        self.layers = layers
        self.known = None

    def read(self):
        """The directories of all layers, of the highest one that names them. Few images need this: it decompresses the layers once more."""
        known = {}
        for layer, _ in self.layers:
            with open(blob_of(layer), "rb") as source:
                child = subprocess.Popen(decompressed(blob_of(layer)), stdin=source, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
                with tarfile.open(fileobj=child.stdout, mode="r|", errors="surrogateescape") as archive:
                    for entry in archive:
                        if entry.isdir():
                            known[os.path.normpath("/" + entry.name)] = (entry.mode & 0o7777, entry.uid, entry.gid, entry.mtime)
                child.stdout.close()
                child.wait()
        return known

    def find(self, place):
        if self.known is None:
            self.known = self.read()
        mode, uid, gid, mtime = self.known.get(os.path.normpath("/" + place), (0o755, 0, 0, 0))
        return mode, uid, gid, int(mtime * 1_000_000_000)


def mark_opaque(upper):
    """Overlays say by an attribute that a directory hides those below. A layer says it by a name."""
    for folder, _, _ in os.walk(upper):
        try:
            os.getxattr(folder, "trusted.overlay.opaque")
        except OSError:
            continue
        stat = os.stat(folder)
        open(f"{folder}/{OPAQUE}", "w").close()
        os.utime(folder, ns=(stat.st_atime_ns, stat.st_mtime_ns))


def write_flat(merged, modules):
    """Adds what was changed in the overlay to the file system of the layers, and this kernel's modules. Gives its size."""
    run(["umount", merged])
    run(["umount", f"{WORK}/lower/1"])
    upper = f"{WORK}/top/upper"
    mark_opaque(upper)
    archive = ["tar", "--create", *XATTRS, "--xattrs-exclude=trusted.overlay.*", "--directory", upper, "."]
    archive += ["--directory", os.path.dirname(MODULES), f"--transform=s,^modules,{modules},S", "modules"]
    source = subprocess.Popen(archive, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    run(add_to_flat(False), stdin=source.stdout)
    source.stdout.close()
    error = source.stderr.read()
    if source.wait() != 0:
        raise Refused("tool", f"tar ended with {source.returncode}: {tail(error)}")
    return os.stat(FLAT).st_size
