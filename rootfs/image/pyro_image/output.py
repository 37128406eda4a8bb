"""Where the image is written. The file system in it is of a hostile image."""

from __future__ import annotations

import os

from pyro_image import places
from pyro_image.common import CHUNK, Refused, run

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pyro_image.requests import Result

# linux/fs/erofs/erofs_fs.h: offset of the superblock, which has the binary logarithm of a block's size, and the number
# of blocks.
SUPERBLOCK = 1024
SUPERBLOCK_BYTES = 40
# A fixed UUID and no times of the build: the same image has the same bytes.
MKFS = ["mkfs.erofs", "--quiet", "-T0", "--mkfs-time", "-U", "70797261-0000-4000-8000-000000000000"]


class Output:
    """Where the file system is written: a disk of its own, which the host takes, or a file."""

    path = f"{places.WORK}/root.erofs"
    is_disk = False
    # Whether the disk begins with this kernel's modules.
    has_modules = False
    # Whether the disk begins with an environment.
    has_base = False

    @classmethod
    def use(cls, result: Result | None) -> None:
        if result:
            cls.path, cls.is_disk, cls.has_modules = result["device"], True, result["hasModules"]
            cls.has_base = result.get("hasBase", False)

    @classmethod
    def size(cls) -> int:
        """Of the file system, in bytes, by its superblock."""
        with open(cls.path, "rb") as file:
            file.seek(SUPERBLOCK)
            superblock = file.read(SUPERBLOCK_BYTES)
        return int.from_bytes(superblock[36:40], "little") << superblock[12]

    @classmethod
    def left(cls) -> int:
        """Bytes that its disk has behind the file system."""
        with open(cls.path, "rb") as file:
            return file.seek(0, os.SEEK_END) - cls.size()

    @classmethod
    def clear(cls) -> None:
        """Another mkfs writes it anew, and takes what it does not write for zeros.

        `--zeroout` would take the whole disk's room on the host.
        """
        if not cls.is_disk:
            os.unlink(cls.path)
            return
        run(["blkdiscard", "--force", cls.path])
        with open(cls.path, "rb") as file:
            if any(file.read(CHUNK)):
                raise Refused("tool", "the disk for the image cannot be cleared")

    @classmethod
    def begin_with(cls, file: str) -> None:
        """Makes a file system of this microVM its beginning."""
        if not cls.is_disk:
            os.rename(file, cls.path)
            return
        cls.clear()
        import shutil

        with open(file, "rb") as source, open(cls.path, "r+b") as target:
            shutil.copyfileobj(source, target, CHUNK)
        os.unlink(file)

    @classmethod
    def end(cls) -> int:
        """Writes it out. Gives its size."""
        with open(cls.path, "r+b") as file:
            os.fsync(file.fileno())
        return cls.size()


def write_root(merged: str, modules: str | None) -> int:
    """Writes the file system of a root, with this kernel's modules at their path. Gives its size."""
    run(["cp", "-a", f"{places.MODULES}/.", f"{merged}/{modules}"])
    run([*MKFS, Output.path, merged])
    return Output.end()
