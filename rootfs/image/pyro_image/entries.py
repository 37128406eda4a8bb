"""Reads the headers of a layer while it passes. The layer is hostile."""

from __future__ import annotations

import os
import re

from pyro_image.common import TAR_BLOCK, Refused

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
DECIMAL = re.compile(rb"[0-9]{1,18}")
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


def records_of(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Names and values of attributes, by the length in front of each: a value may look like other attributes.

    ValueError: some of the data are no attributes.
    """
    at = 0
    while at < len(data) and data[at] != 0:
        digits, _, _ = data[at : at + 20].partition(b" ")
        if not DECIMAL.fullmatch(digits):
            raise ValueError("attributes without a length")
        end = at + int(digits)
        name, equals, value = data[at + len(digits) + 1 : end].partition(b"=")
        if end > len(data) or not equals or not value.endswith(b"\n"):
            raise ValueError("attributes of another length")
        yield name, value[:-1]
        at = end


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
        # Where the data of the last header are in `before`, and their size without the rest of their block.
        self.data_at, self.data_bytes = 0, 0
        # The size that attributes give, in place of the next header's.
        self.size: int | None = None
        self.is_over = False
        # Whether the last bytes are a part of a header.
        self.is_cut = False
        self.gave_up = False
        # Whether it may change what is beneath usr/lib/modules.
        self.touches_modules = False
        # Whether attributes say that a file is sparse: mkfs.erofs takes the map of its data for data.
        self.is_sparse = False

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
            self.is_cut = not ZEROS.startswith(header)
            return TAR_BLOCK
        if size is None or header[257:262] != b"ustar" or kind in ODD:
            return self.give_up()
        if kind in BEFORE_OTHERS:
            self.before.append(header)
            self.kind = kind
            self.data_at, self.data_bytes = len(self.before), size
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
        if self.kind not in b"xXg":
            return
        try:
            records = list(records_of(b"".join(self.before[self.data_at :])[: self.data_bytes]))
            sizes = [int(value) for name, value in records if name == b"size" and self.demand_size(value)]
        except ValueError:
            self.give_up()
            return
        self.is_sparse = self.is_sparse or any(name.startswith(b"GNU.sparse.") for name, _ in records)
        if self.kind != b"g":
            self.size = sizes[-1] if sizes else self.size
            return
        if sizes:
            # Programs that read archives disagree about where the next header is.
            raise Refused("layer", "attributes of all entries give a size")
        whole = b"".join(self.before)
        self.touches_modules = self.touches_modules or bool(OF_MODULES.search(whole))
        self.kept.write(whole)
        self.before = []

    def demand_size(self, value: bytes) -> bool:
        if not DECIMAL.fullmatch(value):
            raise ValueError("a size that is no number")
        return True

    def end(self) -> bool:
        """Closes the file of the headers. False if the archive ended within an entry."""
        self.kept.write(bytes(2 * TAR_BLOCK))
        self.kept.close()
        if self.is_over:
            return not self.is_cut
        # Headers and data in `before` wait for the entry that they describe.
        return self.ahead == 0 and self.wanted == 0 and self.before == []


def directories_of(stream: IO[bytes]) -> Iterator[tuple[str, Directory]]:
    """The directories of an archive by their paths, for a dict."""
    import tarfile

    with tarfile.open(fileobj=stream, mode="r|", errors="surrogateescape") as archive:
        for entry in archive:
            if entry.isdir():
                at = os.path.normpath("/" + entry.name)
                yield at, (entry.mode & 0o7777, entry.uid, entry.gid, entry.mtime)
