"""Archives of any headers, also of those that no program would write."""

from __future__ import annotations

from dataclasses import dataclass, field

BLOCK = 512
END = bytes(2 * BLOCK)
TIME = 1_577_836_800


@dataclass(frozen=True)
class Entry:
    name: str | bytes
    kind: bytes = b"0"
    data: bytes = b""
    target: str | bytes = ""
    mode: int | bytes = 0o644
    uid: int | bytes = 0
    gid: int | bytes = 0
    mtime: int | bytes = TIME
    # What the header says, in place of the length of `data`.
    size: int | bytes | None = None
    device: tuple[int, int] = (0, 0)
    magic: bytes = b"ustar\x0000"
    prefix: bytes = b""
    pax: dict[str, str | bytes] = field(default_factory=dict)
    # A wrong sum.
    checksum: bytes | None = None


def as_bytes(text: str | bytes) -> bytes:
    return text if isinstance(text, bytes) else text.encode("utf-8", "surrogateescape")


def number(value: int | bytes, width: int) -> bytes:
    """Octal digits, or GNU's binary form for what they do not hold; bytes are the field itself."""
    if isinstance(value, bytes):
        return value[:width].ljust(width, b"\0")
    digits = b"%0*o" % (width - 1, value) if value >= 0 else b""
    if value >= 0 and len(digits) < width:
        return digits + b"\0"
    most = 1 << (8 * width - 1)
    sign = 0x80 if value >= 0 else 0xFF
    return bytes([sign]) + (value % most).to_bytes(width, "big")[1:]


def padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % BLOCK)


def header(entry: Entry) -> bytes:
    size = len(entry.data) if entry.size is None else entry.size
    fields = [
        as_bytes(entry.name)[:100].ljust(100, b"\0"),
        number(entry.mode, 8),
        number(entry.uid, 8),
        number(entry.gid, 8),
        number(size, 12),
        number(entry.mtime, 12),
        b" " * 8,
        entry.kind,
        as_bytes(entry.target)[:100].ljust(100, b"\0"),
        entry.magic,
        bytes(64),
        number(entry.device[0], 8),
        number(entry.device[1], 8),
        entry.prefix[:155].ljust(155, b"\0"),
    ]
    block = b"".join(fields).ljust(BLOCK, b"\0")
    checksum = b"%06o\0 " % sum(block) if entry.checksum is None else entry.checksum
    return block[:148] + checksum + block[156:]


def record(key: str, value: bytes) -> bytes:
    """A line of pax, whose length counts itself."""
    rest = b" " + key.encode() + b"=" + value + b"\n"
    length = len(rest)
    while len(str(length)) + len(rest) != length:
        length = len(str(length)) + len(rest)
    return str(length).encode() + rest


def pax(records: dict[str, str | bytes], kind: bytes = b"x") -> bytes:
    data = b"".join(record(key, as_bytes(value)) for key, value in records.items())
    return header(Entry("pax", kind, data)) + padded(data)


def tar_of(*entries: Entry, end: bytes = END) -> bytes:
    """An archive. Names that a header does not hold go in front of it, as pax has them."""
    pieces = []
    for entry in entries:
        records: dict[str, str | bytes] = {}
        if len(as_bytes(entry.name)) > 100:
            records["path"] = entry.name
        if len(as_bytes(entry.target)) > 100:
            records["linkpath"] = entry.target
        records |= entry.pax
        if records:
            pieces.append(pax(records))
        pieces.append(header(entry) + padded(entry.data))
    return b"".join(pieces) + end


def gnu_long(name: str, kind: bytes = b"L") -> bytes:
    """GNU's form of a long name (`L`) or of a long link (`K`), in front of the entry."""
    data = as_bytes(name) + b"\0"
    return header(Entry("././@LongLink", kind, data)) + padded(data)
