"""The unpacker of layers: what an entry becomes, and why one is refused."""

from __future__ import annotations

import io
import os
import stat
from pathlib import Path

import pytest

from pyro_image.common import Refused
from pyro_image.unpack import apply
from tar_archives import TIME, Entry, gnu_long, header, padded, tar_of


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A tree as the layers below left it."""
    tree = tmp_path / "root"
    (tree / "etc").mkdir(parents=True)
    (tree / "etc/passwd").write_text("below")
    return tree


def unpack(root: Path, *entries: Entry) -> None:
    apply(io.BytesIO(tar_of(*entries)), str(root))


def names(root: Path) -> list[str]:
    return sorted(str(one.relative_to(root)) for one in root.rglob("*"))


def refusal(root: Path, archive: bytes) -> Refused:
    with pytest.raises(Refused) as caught:
        apply(io.BytesIO(archive), str(root))
    return caught.value


@pytest.mark.parametrize(
    ("reason", "entry"),
    [
        (
            "the entry 'etc/shadow' is a hard link to 'etc/gone', which is not there",
            Entry("etc/shadow", b"1", target="etc/gone"),
        ),
        ("the entry 'etc/passwd' is a hard link to itself", Entry("etc/passwd", b"1", target="./etc/passwd")),
        ("the entry 'etc/.wh.' removes no name", Entry("etc/.wh.")),
        ("the entry 'etc/.wh..' removes no name", Entry("etc/.wh..")),
        ("the entry 'etc/.wh...' removes no name", Entry("etc/.wh...")),
        ("the entry '.wh.' removes no name", Entry(".wh.")),
        ("the entry '.' is the root, and no directory", Entry(".")),
        ("the entry '/' is the root, and no directory", Entry("/", b"2", target="etc")),
        ("the entry './.' is the root, and no directory", Entry("./.", b"1", target="etc/passwd")),
        (
            "the entry 'long' has the extended attribute 'user.x' of 70000 bytes, which cannot be kept: ",
            Entry("long", pax={"SCHILY.xattr.user.x": "x" * 70_000}),
        ),
        (
            "the entry 'odd' has the extended attribute 'x' of 1 bytes, which cannot be kept: ",
            Entry("odd", pax={"SCHILY.xattr.x": "x"}),
        ),
        ("the entry 'etc/passwd/below' cannot be unpacked: ", Entry("etc/passwd/below")),
        ("the entry 'nowhere/.wh..wh..opq' cannot be unpacked: No such file", Entry("nowhere/.wh..wh..opq")),
        ("cannot be unpacked: File name too long", Entry("n" * 300)),
        ("the entry 'etc/link' cannot be unpacked: ", Entry("etc/link", b"1", target="etc")),
        ("the entry 'far' cannot be unpacked: ", Entry("far", pax={"mtime": "1e300"})),
        ("the entry 'far' cannot be unpacked: ", Entry("far/", b"5", pax={"mtime": "-1e300"})),
        ("an entry with .. in its path: '../x'", Entry("../x")),
        ("an entry with .. in its path: 'etc/../../x'", Entry("etc/../../x")),
        ("an entry with .. in its path: '../etc/passwd'", Entry("link", b"1", target="../etc/passwd")),
        ("the entry 'etc/x' has an unknown type", Entry("etc/x", b"V")),
        ("an entry with more than 512 levels in its path: 'd/d/", Entry("deep", pax={"path": "d/" * 1200 + "x"})),
        (
            "an entry with more than 512 levels in its path: 'd/d/",
            Entry("link", b"1", pax={"linkpath": "d/" * 1200 + "x"}),
        ),
    ],
)
def test_an_entry_is_refused_by_name(root: Path, reason: str, entry: Entry) -> None:
    refused = refusal(root, tar_of(entry))
    assert reason in str(refused)
    assert refused.kind == "layer"
    assert str(root) not in str(refused)
    assert "Errno" not in str(refused)
    assert {"etc", "etc/passwd"} <= set(names(root))


def test_a_sparse_file_that_no_disk_holds_is_refused_before_it_is_written(root: Path) -> None:
    refused = refusal(root, tar_of(Entry("huge", pax={"GNU.sparse.map": "1", "GNU.sparse.size": str(2**60)})))
    assert refused.kind == "full"
    assert str(refused) == f"the entry 'huge' has {2**60} bytes, more than the builder's disk takes"
    assert not (root / "huge").exists()


@pytest.mark.parametrize("archive", [tar_of(Entry("a", data=b"x" * 2000))[:1024], b"no archive".ljust(2048, b".")])
def test_an_archive_that_ends_too_early_or_is_none_is_named_as_such(root: Path, archive: bytes) -> None:
    refused = refusal(root, archive)
    assert (refused.kind, "a layer is no whole tar archive: " in str(refused)) == ("layer", True)


def test_what_images_have_is_unpacked(root: Path) -> None:
    unpack(
        root,
        Entry("./", b"5", mode=0o755),
        Entry("./etc/shadow", b"1", target="etc/passwd"),
        Entry("usr/bin/tool", data=b"x"),
        Entry("usr/.wh.gone"),
        Entry("etc/.wh.passwd"),
    )
    assert names(root) == ["etc", "etc/shadow", "usr", "usr/bin", "usr/bin/tool"]
    assert (root / "etc/shadow").read_text() == "below"


def test_directories_of_512_levels_are_made(root: Path) -> None:
    unpack(root, Entry("deep", data=b"x", pax={"path": "d/" * 511 + "x"}), Entry("d/d/x", data=b"y"))
    assert (root / ("d/" * 511) / "x").read_text() == "x"


def test_a_mark_hides_what_is_below_and_nothing_that_follows(root: Path) -> None:
    (root / "etc/old").mkdir()
    unpack(root, Entry("etc/.wh..wh..opq"), Entry("etc/new", data=b"new"))
    assert names(root) == ["etc", "etc/new"]


def test_a_removed_link_stays_what_it_leads_to(root: Path) -> None:
    (root / "link").symlink_to("etc")
    unpack(root, Entry(".wh.link"))
    assert names(root) == ["etc", "etc/passwd"]


@pytest.mark.parametrize("target", ["/etc", "../outside", "/", "etc"])
def test_no_entry_follows_a_link_of_a_layer(root: Path, target: str) -> None:
    outside = root.parent / "outside"
    outside.mkdir()
    (outside / "kept").write_text("kept")
    link = Entry("link", b"2", target=target)
    for entry in (Entry("link/x", data=b"x"), Entry("link/.wh.kept"), Entry("link/.wh..wh..opq")):
        assert "beneath a symbolic link" in str(refusal(root, tar_of(link, entry)))
    assert "beneath a symbolic link" in str(refusal(root, tar_of(link, Entry("own", b"1", target="link/kept"))))
    assert sorted(os.listdir(outside)) == ["kept"]


def test_an_entry_replaces_what_has_its_name(root: Path) -> None:
    unpack(
        root,
        Entry("etc", b"2", target="gone"),
        Entry("twice", data=b"first"),
        Entry("twice", data=b"second"),
        Entry("tree/", b"5"),
        Entry("tree/file", data=b"x"),
        Entry("tree", data=b"a file"),
    )
    assert names(root) == ["etc", "tree", "twice"]
    assert os.readlink(root / "etc") == "gone"
    assert (root / "twice").read_bytes() == b"second"
    assert (root / "tree").read_bytes() == b"a file"


def test_a_directory_that_comes_again_keeps_its_files(root: Path) -> None:
    unpack(root, Entry("etc/", b"5", mode=0o700))
    assert names(root) == ["etc", "etc/passwd"]
    assert stat.S_IMODE((root / "etc").stat().st_mode) == 0o700


def test_long_names_of_pax_and_of_gnu_are_whole(root: Path) -> None:
    deep = f"{'d' * 120}/{'e' * 150}"
    target = "t" * 200
    archive = tar_of(Entry(f"pax/{deep}", data=b"pax"), end=b"")
    archive += gnu_long(f"gnu/{deep}") + header(Entry("short", data=b"gnu")) + padded(b"gnu")
    archive += gnu_long(target, b"K") + header(Entry("link", b"2", target="short"))
    archive += tar_of(Entry("name", prefix=b"in/front", data=b"ustar"))
    apply(io.BytesIO(archive), str(root))
    assert (root / "pax" / deep).read_bytes() == b"pax"
    assert (root / "gnu" / deep).read_bytes() == b"gnu"
    assert os.readlink(root / "link") == target
    assert (root / "in/front/name").read_bytes() == b"ustar"


def test_names_that_are_no_utf8_are_kept(root: Path) -> None:
    unpack(root, Entry(b"etc/\xff\xfe"))
    assert b"\xff\xfe" in os.listdir(os.fsencode(root / "etc"))


def test_owners_modes_and_times_are_those_of_the_layer(root: Path, owners: list[tuple[str, int, int]]) -> None:
    unpack(
        root,
        Entry("bin/", b"5", mode=0o750, uid=7, gid=8, mtime=5),
        Entry("bin/su", mode=0o4755, uid=0, gid=4_294_967_294),
        Entry("exact", pax={"mtime": "12.5", "uid": "4294967294"}),
        Entry("old", mtime=-5),
    )
    assert stat.S_IMODE((root / "bin/su").stat().st_mode) == 0o4755
    assert ((root / "bin").stat().st_mtime, (root / "bin/su").stat().st_mtime) == (5, TIME)
    assert ((root / "exact").stat().st_mtime, (root / "old").stat().st_mtime) == (12.5, -5)
    relative = [(path.removeprefix(f"{root}/"), uid, gid) for path, uid, gid in owners]
    assert relative == [("bin", 7, 8), ("bin/su", 0, 4_294_967_294), ("exact", 4_294_967_294, 0), ("old", 0, 0)]


def test_directories_keep_their_times_when_entries_change_them(root: Path) -> None:
    os.utime(root / "etc", (9, 9))
    unpack(root, Entry("etc/new"), Entry("unnamed/file"))
    assert ((root / "etc").stat().st_mtime, (root / "unnamed").stat().st_mtime) == (9, 0)


def test_attributes_are_given_after_the_owner_whose_change_clears_them(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[object] = []
    monkeypatch.setattr(os, "chown", lambda *_, **__: done.append("owner"))
    monkeypatch.setattr(os, "chmod", lambda *_, **__: done.append("mode"))
    monkeypatch.setattr(os, "setxattr", lambda _path, name, value, **_: done.append((name, value)))
    capability = b"\x01\x00\x00\x02\x00\x04\x00\x00\x00\x00\xff\xfe"
    unpack(root, Entry("ping", pax={"SCHILY.xattr.security.capability": capability, "comment": "no attribute"}))
    assert done == ["owner", "mode", ("security.capability", capability)]


def test_devices_and_pipes_are_made(root: Path, devices: list[tuple[str, int, int]]) -> None:
    unpack(root, Entry("null", b"3", device=(1, 3)), Entry("loop", b"4", device=(7, 0)), Entry("pipe", b"6"))
    assert devices == [
        (f"{root}/null", stat.S_IFCHR | 0o600, os.makedev(1, 3)),
        (f"{root}/loop", stat.S_IFBLK | 0o600, os.makedev(7, 0)),
    ]
    assert stat.S_ISFIFO((root / "pipe").stat().st_mode)


def test_sparse_files_have_their_holes(root: Path) -> None:
    sparse: dict[str, str | bytes] = {
        "GNU.sparse.major": "0",
        "GNU.sparse.minor": "1",
        "GNU.sparse.size": "5000",
        "GNU.sparse.map": "4096,4",
    }
    unpack(root, Entry("sparse", data=b"data", pax=sparse))
    assert (root / "sparse").read_bytes() == bytes(4096) + b"data" + bytes(900)


@pytest.mark.parametrize("size", [b"-0000001024\0", b"\xff" * 12, b"9", b"0x10", b"1_0"])
def test_a_size_that_is_none_ends_in_a_refusal_and_in_no_file_outside(root: Path, size: bytes) -> None:
    before = sorted(os.listdir(root.parent))
    try:
        unpack(root, Entry("first"), Entry("odd", size=size), Entry("after"))
    except Refused as refused:
        assert refused.kind == "layer"
    assert sorted(os.listdir(root.parent)) == before


def test_a_full_disk_is_no_fault_of_the_layer(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr(os, "mkfifo", full)
    with pytest.raises(OSError, match="No space left"):
        unpack(root, Entry("pipe", b"6"))
