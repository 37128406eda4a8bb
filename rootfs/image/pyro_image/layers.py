"""Makes file systems of the layers of an image, and one root of them. The layers are hostile."""

import os
import re
import subprocess
import threading

from pyro_image import places
from pyro_image.common import CHUNK, KNOWN_LAYERS, MOST_LAYERS, TAR_BLOCK, Refused, progress, run, tail
from pyro_image.digests import sha256
from pyro_image.entries import Entries
from pyro_image.mounts import lower, mount, mount_erofs
from pyro_image.output import Output
from pyro_image.unpack import apply

# What a pipe holds, in bytes, at most, without a privilege. A switch between programs is dear without KVM.
PIPE = 1 << 20
# mkfs.erofs writes data where it belongs, in place of a file beside the image that it copies at the end. The last bytes of a file get a block.
ONCE = ["--sort=none", "-Enoinline_data"]
LEAST_LEFT = 16 << 20
FAILED = b"<E> erofs"
MOST_ERRORS = 1 << 16


def decompressed(path):
    """The command that decompresses a layer: what its first bytes are, not what its media type says."""
    with open(path, "rb") as file:
        magic = file.read(6)
    if magic[:2] == b"\x1f\x8b":
        # Three times as fast as gzip.
        return ["igzip", "-dc"]
    if magic[:4] == b"\x28\xb5\x2f\xfd":
        return ["zstd", "-dc"]
    return ["cat"]


def feed(blob, sink, diff_id, entries=None):
    """Decompresses a layer into `sink`, and checks that it is what the image's configuration names. `entries` sees it pass."""
    taken = sha256()
    disk = os.statvfs(places.WORK)
    left = disk.f_bavail * disk.f_frsize
    with open(blob, "rb") as source:
        child = subprocess.Popen(
            decompressed(blob), stdin=source, stdout=subprocess.PIPE, stderr=subprocess.PIPE, pipesize=PIPE
        )
        broken = None
        while piece := child.stdout.read(CHUNK):
            taken.update(piece)
            if entries:
                entries.see(piece)
            left -= len(piece)
            if left < 0:
                child.kill()
                child.wait()
                raise Refused(
                    "full",
                    f"a layer decompresses to more than the builder's disk takes ({disk.f_blocks * disk.f_frsize >> 20} MiB)",
                )
            if broken is None:
                try:
                    sink.write(piece)
                except BrokenPipeError as error:
                    broken = error
        said = child.stderr.read()
        if child.wait() != 0:
            raise Refused("layer", f"a layer cannot be decompressed: {tail(said)}")
    if "sha256:" + taken.hexdigest() != diff_id:
        raise Refused("digest", f"a layer has other content than the image's configuration says ({diff_id})")
    if entries and not entries.end():
        raise Refused("layer", "a layer ends within a file")
    return broken is None


def has_failed(errors):
    """mkfs.erofs may end with 0 after a failure, such as a root directory that has no room in the place of the one below it."""
    return FAILED in errors


def check_room(is_written):
    """mkfs.erofs goes on after data that it could not write. `is_written`: whether it left a file system."""
    disk = os.statvfs(places.WORK)
    room = disk.f_bavail * disk.f_frsize
    if is_written and Output.is_disk:
        room = min(room, Output.left())
    if room < LEAST_LEFT:
        raise Refused(
            "full", f"the image needs more than the builder's disk takes ({disk.f_blocks * disk.f_frsize >> 20} MiB)"
        )


def fed_to(argv, blob, diff_id, entries):
    """Gives a decompressed layer to a program. False if the program cannot take it."""
    errors = open(f"{blob}.errors-{threading.get_ident()}", "w+b")
    os.unlink(errors.name)
    child = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=errors, pipesize=PIPE)
    whole = feed(blob, child.stdin, diff_id, entries)
    try:
        # The end of an archive, which umoci leaves out.
        if whole:
            child.stdin.write(bytes(2 * TAR_BLOCK))
    except BrokenPipeError:
        pass
    try:
        child.stdin.close()
    except BrokenPipeError:
        pass
    code = child.wait()
    errors.seek(0)
    taken = code == 0 and whole and not has_failed(errors.read(MOST_ERRORS))
    errors.close()
    check_room(taken)
    return taken


def to_erofs(blob, diff_id, target):
    """The layer straight into an image: six times faster than an unpacked tree. False if mkfs cannot represent the layer alone."""
    # --aufs: whiteouts become those of overlayfs.
    return fed_to(
        ["mkfs.erofs", "--quiet", "-T0", "--mkfs-time", "--tar=f", *ONCE, "--aufs", target],
        blob,
        diff_id,
        Entries(f"{target}.directories"),
    )


def unpack(blob, below, number):
    """
    The same layer, unpacked over those below it. For layers that refer to them, such as a hard link to a file of another layer.
    """
    upper, work, merged = (f"{places.WORK}/unpacked/{number}/{name}" for name in ("upper", "work", "merged"))
    for folder in (upper, work, merged):
        os.makedirs(folder)
    under = lower(below) if below else "empty"
    mount(["-t", "overlay", "overlay", "-o", f"lowerdir={under},upperdir={upper},workdir={work}", merged])
    with open(blob, "rb") as source:
        child = subprocess.Popen(decompressed(blob), stdin=source, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        apply(child.stdout, merged)
        child.stdout.close()
        child.wait()
    run(["umount", merged])
    return upper


def layers_of(manifest, config):
    layers = manifest.get("layers") or []
    diff_ids = (config.get("rootfs") or {}).get("diff_ids") or []
    if len(layers) != len(diff_ids):
        raise Refused("image", f"the manifest has {len(layers)} layers, its configuration {len(diff_ids)}")
    if len(layers) > MOST_LAYERS:
        raise Refused("image", f"{len(layers)} layers; at most {MOST_LAYERS} are supported")
    for layer in layers:
        if not KNOWN_LAYERS.match(layer.get("mediaType", "")):
            raise Refused("layer", f"a layer of the type {layer.get('mediaType')!r}")
        if not re.match(r"^sha256:[0-9a-f]{64}$", layer.get("digest", "")):
            raise Refused("layer", f"a layer with the digest {layer.get('digest')!r}")
    return list(zip(layers, diff_ids))


def blob_of(layer):
    return f"{places.WORK}/image/{layer['digest'].split(':')[1]}"


def image_of(number):
    return f"{places.WORK}/lower/{number}.erofs"


def assemble(layers):
    """
    Mounts every layer; gives their numbers, the lowest first. As many layers as there are processors are written at once. For images whose
    layers `flatten` cannot add to each other.
    """
    from concurrent.futures import ThreadPoolExecutor

    numbers = []
    # Without `with`: after a refusal nobody waits for the other layers, because the program ends.
    writers = ThreadPoolExecutor(os.cpu_count())
    made = [
        writers.submit(to_erofs, blob_of(layer), diff_id, image_of(number))
        for number, (layer, diff_id) in enumerate(layers, 1)
    ]
    for number, (layer, _) in enumerate(layers, 1):
        progress(f"unpacking layer {number} of {len(layers)}", 0.4 + 0.4 * (number - 1) / len(layers))
        blob, image, at = blob_of(layer), image_of(number), f"{places.WORK}/lower/{number}"
        if made[number - 1].result():
            mount_erofs(image, number)
        else:
            if os.path.lexists(image):
                os.unlink(image)
            os.makedirs(at)
            mount(["--bind", unpack(blob, numbers, number), at])
        numbers.append(number)
        # An image may have a layer twice.
        if not any(blob_of(other) == blob for other, _ in layers[number:]):
            os.unlink(blob)
    return numbers
