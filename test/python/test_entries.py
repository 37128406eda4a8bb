"""The headers of a layer that passes: its directories, and whether it ends within an entry."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from pyro_image.common import Refused
from pyro_image.entries import Entries, directories_of
from tar_archives import TIME, Entry, pax, tar_of

LONG = f"deep/{'d' * 120}/{'e' * 150}"
LAYER = (
    Entry("etc/", b"5", mode=0o700, uid=7, gid=8),
    Entry("etc/large", data=b"x" * 5000),
    Entry("etc/link", b"2", target="large"),
    # A header of a directory, as the content of a file.
    Entry("etc/forged", data=tar_of(Entry("forged/", b"5"))),
    Entry(f"{LONG}/", b"5", mode=0o711, uid=4_294_967_294),
    Entry("etc/empty"),
    Entry("last/", b"5", mode=0o755),
)
FILE = tar_of(Entry("file", data=b"x" * 5000))


class Seen:
    """What the builder sees of an archive that passes in pieces of this size."""

    def __init__(self, archive: bytes, folder: Path, piece_bytes: int = 512) -> None:
        kept = folder / "kept.tar"
        entries = Entries(str(kept))
        for at in range(0, len(archive), piece_bytes):
            entries.see(archive[at : at + piece_bytes])
        self.is_whole = entries.end()
        self.gave_up = entries.gave_up
        self.is_sparse = entries.is_sparse
        self.touches_modules = entries.touches_modules
        self.directories: dict[str, tuple[int, int, int, float]] = dict(directories_of(io.BytesIO(kept.read_bytes())))


def changed(archive: bytes, at: int, data: bytes) -> bytes:
    return archive[:at] + data + archive[at + len(data) :]


@pytest.mark.parametrize("piece_bytes", [512, 1536, 1 << 20])
def test_directories_are_kept_with_owners_modes_and_long_names(tmp_path: Path, piece_bytes: int) -> None:
    seen = Seen(tar_of(*LAYER), tmp_path, piece_bytes)
    assert (seen.is_whole, seen.gave_up, seen.touches_modules) == (True, False, False)
    assert seen.directories == {
        "/etc": (0o700, 7, 8, TIME),
        f"/{LONG}": (0o711, 4_294_967_294, 0, TIME),
        "/last": (0o755, 0, 0, TIME),
    }


def test_directories_are_kept_from_an_archive_without_an_end(tmp_path: Path) -> None:
    seen = Seen(tar_of(*LAYER, end=b""), tmp_path)
    assert seen.is_whole
    assert {"/etc", "/last"} <= set(seen.directories)


def test_directories_are_kept_beside_a_file_whose_size_is_in_its_attributes_alone(tmp_path: Path) -> None:
    data = b"y" * 4096
    archive = tar_of(Entry("large", data=data, size=0, pax={"size": str(len(data))}), Entry("after/", b"5"))
    assert list(Seen(archive, tmp_path).directories) == ["/after"]


def test_a_size_within_the_value_of_another_attribute_is_no_size(tmp_path: Path) -> None:
    forged = Entry("file", data=b"y" * 700, pax={"comment": "x\n17 size=0000002048\n"})
    seen = Seen(tar_of(forged, Entry("after/", b"5")), tmp_path)
    assert (seen.gave_up, list(seen.directories)) == (False, ["/after"])


def test_a_size_for_all_entries_is_refused(tmp_path: Path) -> None:
    """mkfs.erofs, tarfile and others would each find other entries behind it."""
    with pytest.raises(Refused, match="attributes of all entries give a size"):
        Seen(pax({"comment": "x", "size": "4096"}, b"g") + tar_of(*LAYER), tmp_path)
    assert "/etc" in Seen(pax({"comment": "x"}, b"g") + tar_of(*LAYER), tmp_path).directories


@pytest.mark.parametrize(
    "data", [b"9 size=1024\n", b"x", b"99 path=a\n", b"11 size=-1\n", b"11 size=1_\n", b"8 comment\n"]
)
def test_attributes_that_cannot_be_read_make_the_layer_unknown(tmp_path: Path, data: bytes) -> None:
    assert Seen(tar_of(Entry("pax", b"x", data), *LAYER), tmp_path).gave_up


@pytest.mark.parametrize("name", ["GNU.sparse.major", "GNU.sparse.map", "GNU.sparse.size"])
def test_a_sparse_file_is_seen_by_its_attributes(tmp_path: Path, name: str) -> None:
    assert Seen(tar_of(Entry("file", data=b"1\n", pax={name: "1"})), tmp_path).is_sparse
    assert not Seen(tar_of(*LAYER), tmp_path).is_sparse


@pytest.mark.parametrize(
    ("at", "data"),
    [
        pytest.param(257, bytes(8), id="a header of an older form"),
        pytest.param(124, b"9", id="a size that is no number"),
        pytest.param(124, b"00777777777\0", id="attributes of many MiB"),
        pytest.param(124, b"-0000001024\0", id="a size below 0"),
        pytest.param(124, b"\xff" * 12, id="a size below 0 in GNU's form"),
    ],
)
def test_directories_are_not_known_from_odd_headers(tmp_path: Path, at: int, data: bytes) -> None:
    seen = Seen(changed(tar_of(Entry(f"{LONG}/", b"5")), at, data), tmp_path)
    assert (seen.gave_up, seen.touches_modules, seen.directories) == (True, True, {})


def test_a_size_below_0_leads_to_no_earlier_header(tmp_path: Path) -> None:
    """Such a header would lead to itself, again and again."""
    seen = Seen(tar_of(Entry("a/", b"5"), Entry("b", size=b"-0000001000\0"), Entry("c/", b"5")), tmp_path, 1 << 20)
    assert seen.gave_up


@pytest.mark.parametrize(
    "archive",
    [
        pytest.param(FILE[:2048], id="a file"),
        pytest.param(FILE[:5120], id="the last block of a file"),
        pytest.param(tar_of(Entry(f"{LONG}/file"), end=b"")[:700], id="attributes"),
        pytest.param(tar_of(Entry(f"{LONG}/file"), end=b"")[:1024], id="attributes alone"),
        pytest.param(FILE[:300], id="the first header"),
        pytest.param(tar_of(*LAYER, Entry("short"), end=b"")[:-1], id="the last byte of a header"),
        pytest.param(tar_of(*LAYER, Entry("short"), end=b"")[:-512] + b"s", id="the first byte of a header"),
    ],
)
def test_a_layer_that_ends_within_an_entry_is_not_whole(tmp_path: Path, archive: bytes) -> None:
    assert not Seen(archive, tmp_path).is_whole


def test_a_layer_that_ends_within_its_end_is_whole(tmp_path: Path) -> None:
    assert Seen(FILE[:-512], tmp_path).is_whole


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        (Entry("./usr/lib/modules/6.1/extra.ko", data=b"x"), True),
        (Entry(f"usr/lib/modules/{'d' * 300}", data=b"x"), True),
        (Entry("x", pax={"path": "usr/lib//modules/x"}), True),
        (Entry("usr/.wh.lib"), True),
        (Entry("usr/.wh..wh..opq"), True),
        (Entry("etc/.wh.passwd"), False),
        (Entry("etc/link", b"2", target="../usr/lib/modules"), False),
    ],
)
def test_a_layer_may_change_the_modules_by_a_name_or_a_mark(tmp_path: Path, entry: Entry, expected: bool) -> None:
    assert Seen(tar_of(*LAYER, entry), tmp_path).touches_modules is expected
