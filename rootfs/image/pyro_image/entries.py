"""Reads the headers of a layer while it passes. The layer is hostile."""

import os
import re

from pyro_image.common import TAR_BLOCK, tar_module

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


def size_of(header):
    """The size in a header, whose digits are octal or, in GNU's form, binary. None: it is none."""
    field = header[124:136]
    if field[:1] >= b"\x80":
        return int.from_bytes(field[1:], "big")
    try:
        return int(field.replace(b"\0", b" ").strip() or b"0", 8)
    except ValueError:
        return None


class Entries:
    """
    Keeps the headers of a layer's directories, as an archive that has nothing else, and sees whether the archive ends within an entry: mkfs.erofs
    then waits for ever. It gives up at headers that it does not know: mkfs.erofs and tarfile judge those.
    """

    def __init__(self, path):
        self.kept = open(path, "wb")
        # Bytes from the beginning of the next piece to the next header.
        self.ahead = 0
        # The headers and the data before the entry that they describe, and how many bytes of data still belong to them.
        self.before = []
        self.kind = None
        self.wanted = 0
        # The size that attributes give, in place of the next header's.
        self.size = None
        self.is_over = False
        self.gave_up = False
        # Whether it may change what is beneath usr/lib/modules.
        self.touches_modules = False

    def see(self, piece):
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

    def entry(self, header):
        """Takes a header. Gives the number of bytes to the next one."""
        kind, size = header[156:157], size_of(header)
        if header == ZEROS or len(header) < TAR_BLOCK:
            self.is_over = True
            return TAR_BLOCK
        if size is None or header[257:262] != b"ustar" or kind in ODD:
            self.is_over = self.gave_up = self.touches_modules = True
            return TAR_BLOCK
        if kind in BEFORE_OTHERS:
            self.before.append(header)
            self.kind = kind
            self.wanted = size + -size % TAR_BLOCK
            if sum(map(len, self.before)) + size > MOST_BEFORE_BYTES:
                self.is_over = self.gave_up = self.touches_modules = True
            return TAR_BLOCK
        if not self.touches_modules:
            # A name that does not fit is in front, with its kind's header. Its beginning may be at the end of this one. Nearly no header has the words.
            if self.before or b"modules" in header or b".wh." in header:
                names = (header[:100], header[345:500], *self.before)
                self.touches_modules = any(OF_MODULES.search(name) for name in names)
        if self.size is not None:
            size = self.size
        if kind == b"5":
            self.kept.write(b"".join(self.before) + header)
        self.before, self.size = [], None
        return TAR_BLOCK if kind in WITHOUT_DATA else TAR_BLOCK + size + -size % TAR_BLOCK

    def learn(self):
        """From the attributes that are complete now. Those of all entries are kept at once."""
        whole = b"".join(self.before)
        if self.kind == b"g":
            self.touches_modules = self.touches_modules or bool(OF_MODULES.search(whole))
            self.kept.write(whole)
            self.before = []
        elif self.kind in b"xX" and (found := re.findall(rb"[\n\0]\d+ size=(\d{1,18})\n", whole)) != []:
            self.size = int(found[-1])

    def end(self):
        """Closes the file of the headers. False if the archive ended within an entry."""
        self.kept.write(bytes(2 * TAR_BLOCK))
        self.kept.close()
        return self.is_over or (self.ahead == 0 and self.wanted == 0)


def directories_of(*archive, **options):
    """The directories of an archive by their paths, for a dict: mode, owner, group and time."""
    with tar_module().open(*archive, errors="surrogateescape", **options) as opened:
        for entry in opened:
            if entry.isdir():
                yield os.path.normpath("/" + entry.name), (entry.mode & 0o7777, entry.uid, entry.gid, entry.mtime)
