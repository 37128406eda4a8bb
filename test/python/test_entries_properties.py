"""Any layer that passes is read to its end, in as many steps as it has blocks; its directories are those of tarfile."""

from __future__ import annotations

import io
import tarfile
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyro_image.entries import Entries, directories_of
from tar_archives import BLOCK, Entry, tar_of
from test_unpack_properties import HOSTILE, NAMES


class Counted(Entries):
    """Fails when it takes more headers than the archive has blocks."""

    def __init__(self, path: str, most: int) -> None:
        super().__init__(path)
        self.left = most

    def entry(self, header: bytes) -> int:
        self.left -= 1
        assert self.left >= 0, "a header leads back to an earlier one"
        return super().entry(header)


def seen(archive: bytes, piece_bytes: int) -> tuple[Counted, bool, bytes]:
    with tempfile.TemporaryDirectory(prefix="pyro-entries-") as folder:
        kept = Path(folder, "kept.tar")
        entries = Counted(str(kept), len(archive) // BLOCK + 1)
        for at in range(0, len(archive), piece_bytes):
            entries.see(archive[at : at + piece_bytes])
        is_whole = entries.end()
        return entries, is_whole, kept.read_bytes()


PIECES = st.sampled_from([BLOCK, 3 * BLOCK, 1 << 20])


@given(st.lists(HOSTILE, min_size=1, max_size=5), PIECES)
def test_any_headers_are_read_in_as_many_steps_as_there_are_blocks(entries: list[Entry], piece_bytes: int) -> None:
    archive = tar_of(*entries)
    one = seen(archive, piece_bytes)
    other = seen(archive, BLOCK)
    assert (one[1:], one[0].gave_up, one[0].touches_modules) == (other[1:], other[0].gave_up, other[0].touches_modules)


PLAIN = st.builds(
    Entry,
    name=st.one_of(st.sampled_from(NAMES), st.sampled_from(["d/" * 60, "usr/lib/modules/x", f"{'l' * 120}/d"])),
    kind=st.sampled_from([b"0", b"5", b"2", b"1", b"3", b"6"]),
    data=st.binary(max_size=1500),
    target=st.sampled_from(["a", "t" * 150]),
    mode=st.integers(0, 0o7777),
    uid=st.integers(0, (1 << 32) - 2),
    gid=st.integers(0, (1 << 32) - 2),
    mtime=st.integers(0, 1 << 40),
    pax=st.dictionaries(st.sampled_from(["mtime", "comment", "SCHILY.xattr.user.x"]), st.sampled_from(["1", "2.5"])),
)


def without_data(entry: Entry) -> Entry:
    return entry if entry.kind == b"0" else Entry(**{**vars(entry), "data": b""})


@given(st.lists(PLAIN.map(without_data), max_size=6), PIECES)
def test_the_directories_are_those_of_the_whole_archive(entries: list[Entry], piece_bytes: int) -> None:
    archive = tar_of(*entries)
    counted, is_whole, kept = seen(archive, piece_bytes)
    assert (is_whole, counted.gave_up) == (True, False)
    expected = dict(directories_of(io.BytesIO(archive)))
    assert dict(directories_of(io.BytesIO(kept))) == expected
    with tarfile.open(fileobj=io.BytesIO(archive)) as whole:
        names = [entry.name for entry in whole]
    assert counted.touches_modules == any("modules" in name for name in names)


@given(st.lists(PLAIN.map(without_data), min_size=1, max_size=4), st.data())
def test_an_archive_that_ends_within_data_is_not_whole(entries: list[Entry], data: st.DataObject) -> None:
    last = Entry("last", data=data.draw(st.binary(min_size=1, max_size=1500)))
    archive = tar_of(*entries, last, end=b"")
    blocks = (len(last.data) + BLOCK - 1) // BLOCK
    cut = data.draw(st.integers(1, blocks)) * BLOCK
    assert not seen(archive[:-cut], BLOCK)[1]
    assert seen(archive, BLOCK)[1]


@given(st.lists(PLAIN.map(without_data), max_size=4), st.integers(1, BLOCK - 1), PIECES)
def test_an_archive_that_ends_within_a_header_is_not_whole(entries: list[Entry], left: int, piece_bytes: int) -> None:
    archive = tar_of(*entries, Entry("last"), end=b"")
    assert not seen(archive[: left - BLOCK], piece_bytes)[1]
    # A part of the end is no part of an entry.
    assert seen(archive + bytes(left), piece_bytes)[1]


@pytest.mark.parametrize("size", [b"-0000001000\0", b"-1", b"+7", b"1_0", b"\xff" * 12, b"0o7"])
def test_a_size_that_int_reads_and_tar_does_not_is_given_up(size: bytes) -> None:
    assert seen(tar_of(Entry("a", size=size), Entry("b")), 1 << 20)[0].gave_up
