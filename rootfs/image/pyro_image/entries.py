"""Reads the headers of a layer while it passes. The layer is hostile."""

from __future__ import annotations

import os
import re

from pyro_image.common import TAR_BLOCK

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import IO

    # Mode, owner, group and time.
    type Directory = tuple[int, int, int, float]

ZEROS = bytes(TAR_BLOCK)
# Entries that describe the next one: names that are too long for a header, and attributes.
BEFORE_OTHERS = b"xLKXg"
# Links, devices, directories and pipes, whose size counts for nothing.
WITHOUT_DATA = b"123456"
# Forms of GNU's with more headers than one.
ODD = b"SMVD"
MOST_BEFORE_BYTES = 16 << 20
# What each name has that is beneath usr/lib/modules, or hides it by a mark.
OF_MODULES = re.compile(rb"modules|\.wh\.(usr|lib|\.wh\.\.opq)")
OCTAL = re.compile(rb"[0-7]*")
# The first byte of a number in GNU's binary form. That of a negative one is 0xff.
BINARY = 0x80


def size_of(header: bytes) -> int | None:
    """The size in a header, whose digits are octal or, in GNU's form, binary. None: it is none."""
    field = header[124:136]
    if field[:1] >= b"\x80":
        return int.from_bytes(field[1:], "big") if field[0] == BINARY else None
    digits = field.replace(b"\0", b" ").strip()
    # int() reads signs and underscores, too. A negative size would lead back to an earlier header, again and again.
    return int(digits or b"0", 8) if OCTAL.fullmatch(digits) else None


class Entries:
    """Keeps the headers of a layer's directories, as an archive that has nothing else.

    Sees whether the archive ends within an entry: mkfs.erofs then waits for ever. Gives up at headers that it does not
    know: mkfs.erofs and tarfile judge those.
    """

    def __init__(self, path: str) -> None:
        self.kept = open(path, "wb")  # noqa: SIM115 # end() closes it, when the layer has passed.
        # Bytes from the beginning of the next piece to the next header.
        self.ahead = 0
        # The headers and the data before the entry that they describe, and how many bytes of data still belong to them.
        self.before: list[bytes] = []
        self.kind = b""
        self.wanted = 0
        # The size that attributes give, in place of the next header's.
        self.size: int | None = None
        self.is_over = False
        self.gave_up = False
        # Whether it may change what is beneath usr/lib/modules.
        self.touches_modules = False

    def see(self, piece: bytes) -> None:
        """Takes the next piece, which has whole blocks unless it is the last one."""
        at = self.ahead
        while at < len(piece) and not self.is_over:
            if self.wanted > 0:
                data = piece[at : at + self.wanted]
                self.before.append(data)
                self.wanted -= len(data)
                at += len(data)
                if self.wanted == 0:
                    self.learn()
            else:
                at += self.entry(piece[at : at + TAR_BLOCK])
        self.ahead = at - len(piece)

    def entry(self, header: bytes) -> int:
        """Takes a header. Gives the number of bytes to the next one."""
        kind, size = header[156:157], size_of(header)
        if header == ZEROS or len(header) < TAR_BLOCK:
            self.is_over = True
            return TAR_BLOCK
        if size is None or header[257:262] != b"ustar" or kind in ODD:
            return self.give_up()
        if kind in BEFORE_OTHERS:
            self.before.append(header)
            self.kind = kind
            self.wanted = size + -size % TAR_BLOCK
            return self.give_up() if sum(map(len, self.before)) + size > MOST_BEFORE_BYTES else TAR_BLOCK
        if not self.touches_modules:
            self.touches_modules = self.names_modules(header)
        if self.size is not None:
            size = self.size
        if kind == b"5":
            self.kept.write(b"".join(self.before) + header)
        self.before, self.size = [], None
        return TAR_BLOCK if kind in WITHOUT_DATA else TAR_BLOCK + size + -size % TAR_BLOCK

    def give_up(self) -> int:
        self.is_over = self.gave_up = self.touches_modules = True
        return TAR_BLOCK

    def names_modules(self, header: bytes) -> bool:
        """A name that does not fit is in front, with its kind's header. Its beginning may be at the end of this one."""
        # Nearly no header has the words.
        if not (self.before or b"modules" in header or b".wh." in header):
            return False
        return any(OF_MODULES.search(name) for name in (header[:100], header[345:500], *self.before))

    def learn(self) -> None:
        """From the attributes that are complete now. Those of all entries are kept at once."""
        whole = b"".join(self.before)
        if self.kind == b"g":
            self.touches_modules = self.touches_modules or bool(OF_MODULES.search(whole))
            self.kept.write(whole)
            self.before = []
        elif self.kind in b"xX" and (found := re.findall(rb"[\n\0]\d+ size=(\d{1,18})\n", whole)) != []:
            self.size = int(found[-1])

    def end(self) -> bool:
        """Closes the file of the headers. False if the archive ended within an entry."""
        self.kept.write(bytes(2 * TAR_BLOCK))
        self.kept.close()
        return self.is_over or (self.ahead == 0 and self.wanted == 0)


def directories_of(stream: IO[bytes]) -> Iterator[tuple[str, Directory]]:
    """The directories of an archive by their paths, for a dict."""
    import tarfile

    with tarfile.open(fileobj=stream, mode="r|", errors="surrogateescape") as archive:
        for entry in archive:
            if entry.isdir():
                at = os.path.normpath("/" + entry.name)
                yield at, (entry.mode & 0o7777, entry.uid, entry.gid, entry.mtime)
