"""Makes file systems of the layers of an image, one of each. The layers are hostile."""

from __future__ import annotations

import contextlib
import os
import re
import subprocess
import threading

from pyro_image import places
from pyro_image.common import CHUNK, MOST_LAYERS, TAR_BLOCK, Refused, progress, run, tail
from pyro_image.digests import sha256
from pyro_image.entries import Entries
from pyro_image.mounts import mount, mount_erofs, mount_overlay
from pyro_image.output import Output

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import IO

    from pyro_image.requests import Json

    # A layer's descriptor in the manifest, and the digest of its archive.
    type Layer = tuple[Json, str]

KNOWN_LAYERS = re.compile(
    r"^application/vnd\.(oci\.image\.layer\.v1\.tar|docker\.image\.rootfs\.diff\.tar)([.+](gzip|zstd))?$"
)
DIGEST = re.compile(r"^sha256:[0-9a-f]{64}$")
# What a pipe holds, in bytes, at most, without a privilege. A switch between programs is dear without KVM.
PIPE = 1 << 20
# mkfs.erofs writes data where it belongs, in place of a file beside the image that it copies at the end. The last bytes
# of a file get a block.
ONCE = ["--sort=none", "-Enoinline_data"]
LEAST_LEFT = 16 << 20
FAILED = b"<E> erofs"
MOST_ERRORS = 1 << 16
GZIP = b"\x1f\x8b"
ZSTD = b"\x28\xb5\x2f\xfd"


def decompressed(path: str) -> list[str]:
    """The command that decompresses a layer: what its first bytes are, not what its media type says."""
    with open(path, "rb") as file:
        magic = file.read(6)
    if magic.startswith(GZIP):
        # Three times as fast as gzip.
        return ["igzip", "-dc"]
    if magic.startswith(ZSTD):
        return ["zstd", "-dc"]
    return ["cat"]


def room() -> tuple[int, int]:
    """Bytes that are free on the builder's disk, and its size in MiB."""
    disk = os.statvfs(places.WORK)
    return disk.f_bavail * disk.f_frsize, disk.f_blocks * disk.f_frsize >> 20


def feed(blob: str, sink: IO[bytes], diff_id: str, entries: Entries) -> bool:
    """Decompresses a layer into `sink`, and checks that it is what the image's configuration names.

    `entries` sees it pass. False if the sink's reader left.
    """
    taken = sha256()
    left, disk_mib = room()
    is_open = True
    with open(blob, "rb") as source:
        child = subprocess.Popen(
            decompressed(blob), stdin=source, stdout=subprocess.PIPE, stderr=subprocess.PIPE, pipesize=PIPE
        )
        assert child.stdout is not None and child.stderr is not None
        while piece := child.stdout.read(CHUNK):
            taken.update(piece)
            entries.see(piece)
            left -= len(piece)
            if left < 0:
                child.kill()
                child.wait()
                raise Refused("full", f"a layer decompresses to more than the builder's disk takes ({disk_mib} MiB)")
            if is_open:
                try:
                    sink.write(piece)
                except BrokenPipeError:
                    is_open = False
        said = child.stderr.read()
        if child.wait() != 0:
            raise Refused("layer", f"a layer cannot be decompressed: {tail(said)}")
    if "sha256:" + taken.hexdigest() != diff_id:
        raise Refused("digest", f"a layer has other content than the image's configuration says ({diff_id})")
    if not entries.end():
        raise Refused("layer", f"a layer is damaged: its archive ends within an entry ({diff_id})")
    return is_open


def has_failed(errors: bytes) -> bool:
    """mkfs.erofs may end with 0 after a failure, such as a root directory that has no room in the one below it."""
    return FAILED in errors


def check_room(is_written: bool) -> None:
    """mkfs.erofs goes on after data that it could not write. `is_written`: whether it left a file system."""
    left, disk_mib = room()
    if is_written and Output.is_disk:
        left = min(left, Output.left())
    if left < LEAST_LEFT:
        raise Refused("full", f"the image needs more than the builder's disk takes ({disk_mib} MiB)")


def fed_to(argv: Sequence[str], blob: str, diff_id: str, entries: Entries) -> bool:
    """Gives a decompressed layer to a program. False if the program cannot take it."""
    with open(f"{blob}.errors-{threading.get_ident()}", "w+b") as errors:
        os.unlink(errors.name)
        child = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=errors, pipesize=PIPE)
        assert child.stdin is not None
        whole = feed(blob, child.stdin, diff_id, entries)
        with contextlib.suppress(BrokenPipeError), child.stdin:
            # The end of an archive, which umoci leaves out.
            if whole:
                child.stdin.write(bytes(2 * TAR_BLOCK))
        code = child.wait()
        errors.seek(0)
        taken = code == 0 and whole and not entries.is_sparse and not has_failed(errors.read(MOST_ERRORS))
    check_room(taken)
    return taken


def to_erofs(blob: str, diff_id: str, target: str) -> bool:
    """The layer straight into an image: six times faster than an unpacked tree.

    False if mkfs cannot represent the layer alone.
    """
    # --aufs: whiteouts become those of overlayfs.
    argv = ["mkfs.erofs", "--quiet", "-T0", "--mkfs-time", "--tar=f", *ONCE, "--aufs", target]
    return fed_to(argv, blob, diff_id, Entries(f"{target}.directories"))


def unpack(blob: str, below: Sequence[int], number: int) -> str:
    """The same layer, unpacked over those below it.

    For layers that refer to them, such as a hard link to a file of another layer.
    """
    from pyro_image.unpack import apply

    folder = f"{places.WORK}/unpacked/{number}"
    merged = mount_overlay(folder, below)
    with open(blob, "rb") as source:
        child = subprocess.Popen(decompressed(blob), stdin=source, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        assert child.stdout is not None
        apply(child.stdout, merged)
        child.stdout.close()
        child.wait()
    run(["umount", merged])
    return f"{folder}/upper"


def layers_of(manifest: Json, config: Json) -> list[Layer]:
    layers = manifest.get("layers") or []
    diff_ids = (config.get("rootfs") or {}).get("diff_ids") or []
    if len(layers) != len(diff_ids):
        raise Refused("image", f"the manifest has {len(layers)} layers, its configuration {len(diff_ids)}")
    if len(layers) > MOST_LAYERS:
        raise Refused("image", f"{len(layers)} layers; at most {MOST_LAYERS} are supported")
    for layer in layers:
        if not KNOWN_LAYERS.match(layer.get("mediaType", "")):
            raise Refused("layer", f"a layer of the type {layer.get('mediaType')!r}")
        if not DIGEST.match(layer.get("digest", "")):
            raise Refused("layer", f"a layer with the digest {layer.get('digest')!r}")
    return list(zip(layers, diff_ids, strict=True))


def blob_at(digest: str) -> str:
    """Where skopeo and buildah leave what belongs to an image."""
    return f"{places.WORK}/image/{digest.split(':')[1]}"


def blob_of(layer: Json) -> str:
    return blob_at(layer["digest"])


def image_of(number: int) -> str:
    return f"{places.WORK}/lower/{number}.erofs"


def assemble(layers: Sequence[Layer]) -> list[int]:
    """Mounts every layer; gives their numbers, the lowest first. As many are written at once as there are processors.

    For images whose layers `flatten` cannot add to each other.
    """
    from concurrent.futures import ThreadPoolExecutor

    numbers: list[int] = []
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
