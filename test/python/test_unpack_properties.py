"""Any archive is unpacked within its root, or refused with a reason; what is valid becomes what a model of it says."""

from __future__ import annotations

import io
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyro_image import unpack
from pyro_image.common import Refused
from tar_archives import Entry, gnu_long, tar_of

NAMES = ["a", "b", "a/b", "a/b/c", "etc", "etc/passwd", "link", "link/x"]
HOSTILE_NAMES = [
    "",
    ".",
    "/",
    "..",
    "../outside/kept",
    "a/../../outside/kept",
    "/etc",
    "//a",
    "./a",
    "a/",
    "a//b",
    "etc/.wh.",
    "etc/.wh..",
    ".wh..wh..opq",
    "a/.wh..wh..opq",
    "link/.wh.kept",
    "out/kept",
    "\udcff",
    "n" * 300,
    "d/" * 1200 + "x",
]
TARGETS = ["", ".", "a", "etc/passwd", "/", "..", "../outside", "../outside/kept", "link", "a/b"]
NUMBERS = st.one_of(
    st.integers(0, 0o7777),
    st.integers(-(1 << 40), 1 << 62),
    st.sampled_from([b"-0000001\0", b"\xff" * 12, b"\x80" + b"\xff" * 11, b"       \0", b"1_0", b"0x1", b"9"]),
    st.binary(max_size=12),
)
PAX = st.dictionaries(
    st.sampled_from(
        [
            "path",
            "linkpath",
            "size",
            "mtime",
            "uid",
            "gid",
            "hdrcharset",
            "SCHILY.xattr.user.x",
            "SCHILY.xattr.",
            "GNU.sparse.map",
            "GNU.sparse.size",
            "GNU.sparse.name",
            "GNU.sparse.major",
            "GNU.sparse.minor",
            "GNU.sparse.realsize",
        ]
    ),
    st.one_of(
        st.sampled_from(
            ["-1", "0", "1", "1e400", "nan", "inf", "99999999999999999999", "a\0b", ".", "", "..", "0,1,9"]
        ),
        st.sampled_from(HOSTILE_NAMES),
        st.text(max_size=8),
        st.binary(max_size=8),
    ),
    max_size=3,
)
ANY_NAME = st.one_of(st.sampled_from(NAMES + HOSTILE_NAMES), st.text(st.characters(codec="utf-8"), max_size=12))
HOSTILE = st.builds(
    Entry,
    name=ANY_NAME,
    kind=st.sampled_from([bytes([one]) for one in b"01234567SVMDgxXLKq\0"]),
    data=st.binary(max_size=600),
    target=st.sampled_from(TARGETS),
    mode=NUMBERS,
    uid=NUMBERS,
    gid=NUMBERS,
    mtime=NUMBERS,
    size=st.one_of(st.none(), NUMBERS),
    device=st.tuples(st.integers(0, 0o7777777), st.integers(0, 0o7777777)),
    magic=st.sampled_from([b"ustar\x0000", b"ustar  \0", bytes(8), b"ustar\0\xff\xff"]),
    prefix=st.sampled_from([b"", b"a", b"..", b"/"]),
    pax=PAX,
    checksum=st.one_of(st.none(), st.none(), st.none(), st.binary(max_size=8).map(lambda given: given.ljust(8, b"\0"))),
)


@contextmanager
def tree() -> Iterator[tuple[str, Path]]:
    """A root with a file, and a folder beside the root to which nothing may be written."""
    folder = Path(tempfile.mkdtemp(prefix="pyro-layer-"))
    try:
        outside = folder / "outside"
        outside.mkdir()
        (outside / "kept").write_text("kept")
        root = folder / "root"
        (root / "etc").mkdir(parents=True)
        (root / "etc/passwd").write_text("below")
        (root / "out").symlink_to("../outside")
        yield str(root), outside
    finally:
        shutil.rmtree(os.fsencode(folder))


def state(outside: Path) -> list[object]:
    folder = os.lstat(outside)
    files = [(one.name, one.read_text(), one.stat().st_mtime_ns, one.stat().st_mode) for one in outside.iterdir()]
    return [sorted(os.listdir(outside.parent)), folder.st_mtime_ns, folder.st_mode, files]


@pytest.fixture(autouse=True, scope="module")
def small_disk() -> Iterator[None]:
    """A sparse file takes what the disk has. Here, the disk has 1 MiB."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "statvfs", lambda _: SimpleNamespace(f_bavail=256, f_frsize=4096))
        patch.setattr(os, "chown", chown)
        patch.setattr(os, "mknod", lambda path, mode, device: open(path, "x").close())
        yield


def chown(path: str, uid: int, gid: int, **_: object) -> None:
    if not (0 <= uid < 1 << 32 and 0 <= gid < 1 << 32):
        raise OverflowError("an id beyond 32 bits")


def demand_bounded(archive: bytes) -> None:
    """Unpacks it, or is refused with a reason that a person can read. Nothing outside of the root changes."""
    with tree() as (root, outside):
        before = state(outside)
        try:
            unpack.apply(io.BytesIO(archive), root)
        except Refused as refused:
            assert refused.kind in ("layer", "full")
            assert "Errno" not in str(refused)
            assert root not in str(refused)
        assert state(outside) == before


@given(st.lists(HOSTILE, min_size=1, max_size=5))
def test_any_headers_are_unpacked_within_the_root_or_refused(entries: list[Entry]) -> None:
    demand_bounded(tar_of(*entries))


@given(st.lists(HOSTILE, min_size=1, max_size=3), st.data())
def test_any_damage_is_unpacked_within_the_root_or_refused(entries: list[Entry], data: st.DataObject) -> None:
    archive = bytearray(tar_of(*entries))
    for _ in range(data.draw(st.integers(1, 8))):
        archive[data.draw(st.integers(0, len(archive) - 1))] = data.draw(st.integers(0, 255))
    demand_bounded(bytes(archive[: data.draw(st.integers(0, len(archive)))]))


@given(ANY_NAME, ANY_NAME, st.sampled_from([b"0", b"1", b"2", b"5"]))
def test_any_long_name_of_gnu_is_unpacked_within_the_root_or_refused(name: str, target: str, kind: bytes) -> None:
    plain = tar_of(Entry("a", kind, target="a"))
    demand_bounded(gnu_long(name) + gnu_long(target, b"K") + plain)


class Modelled:
    """What a tree is to be: its paths with what they are. A file is an object: hard links to it are the same one."""

    def __init__(self) -> None:
        self.nodes: dict[tuple[str, ...], object] = {
            (): "directory",
            ("etc",): "directory",
            ("etc", "passwd"): [b"below"],
            ("out",): "../outside",
        }

    def is_link(self, path: tuple[str, ...]) -> bool:
        node = self.nodes.get(path)
        return isinstance(node, str) and node != "directory"

    def remove(self, path: tuple[str, ...]) -> None:
        self.nodes = {one: node for one, node in self.nodes.items() if one[: len(path)] != path}

    def parts(self, name: str) -> tuple[str, ...]:
        parts = tuple(part for part in name.split("/") if part not in ("", "."))
        if ".." in parts or any(self.is_link(parts[:end]) for end in range(1, len(parts))):
            raise Refused("layer", "")
        return parts

    def apply(self, entry: Entry) -> None:
        path = self.parts(str(entry.name))
        if not path:
            if entry.kind != b"5":
                raise Refused("layer", "")
            return
        above = self.nodes.get(path[:-1])
        if path[-1] == ".wh..wh..opq":
            if above != "directory":
                raise Refused("layer", "")
            for one in [one for one in self.nodes if one[:-1] == path[:-1] and one]:
                self.remove(one)
        elif path[-1].startswith(".wh."):
            if path[-1][4:] in ("", ".", ".."):
                raise Refused("layer", "")
            self.remove((*path[:-1], path[-1][4:]))
        else:
            self.place(entry, path)

    def place(self, entry: Entry, path: tuple[str, ...]) -> None:
        target = self.parts(str(entry.target)) if entry.kind == b"1" else None
        if target is not None and (target == path or target not in self.nodes):
            raise Refused("layer", "")
        for end in range(1, len(path)):
            if self.nodes.setdefault(path[:end], "directory") != "directory":
                raise Refused("layer", "")
        if entry.kind == b"5":
            if self.nodes.get(path) != "directory":
                self.remove(path)
                self.nodes[path] = "directory"
            return
        self.remove(path)
        if target is not None:
            node = self.nodes.get(target)
            # No directory has two names, and none is left of what the link replaced.
            if node is None or node == "directory":
                raise Refused("layer", "")
            self.nodes[path] = node
        else:
            self.nodes[path] = entry.target if entry.kind == b"2" else [entry.data]


def real(root: str) -> dict[tuple[str, ...], object]:
    """The tree, in the form of the model. Names of one file have the same object."""
    found: dict[tuple[str, ...], object] = {(): "directory"}
    files: dict[int, object] = {}
    for folder, folders, names in os.walk(root):
        for name in folders + names:
            path = os.path.join(folder, name)
            at = tuple(os.path.relpath(path, root).split("/"))
            status = os.lstat(path)
            if stat.S_ISLNK(status.st_mode):
                found[at] = os.readlink(path)
            elif stat.S_ISDIR(status.st_mode):
                found[at] = "directory"
            else:
                with open(path, "rb") as file:
                    found[at] = files.setdefault(status.st_ino, [file.read()])
    return found


def same_files(nodes: dict[tuple[str, ...], object]) -> set[frozenset[tuple[str, ...]]]:
    """The groups of names that are one file."""
    groups: dict[int, set[tuple[str, ...]]] = {}
    for path, node in nodes.items():
        if isinstance(node, list):
            groups.setdefault(id(node), set()).add(path)
    return {frozenset(group) for group in groups.values()}


VALID_NAMES = st.sampled_from(
    [*NAMES, "./a", "/etc", "a/.wh.b", ".wh.a", "etc/.wh..wh..opq", ".wh.link", "out/x", "../a"]
)
VALID = st.builds(
    Entry,
    name=VALID_NAMES,
    kind=st.sampled_from([b"0", b"5", b"2", b"1"]),
    data=st.binary(max_size=600),
    target=st.sampled_from(["a", "a/b", "etc/passwd", "/etc/passwd", "etc", "../outside", "link"]),
).map(lambda entry: entry if entry.kind == b"0" else replace(entry, data=b""))


@given(st.lists(VALID, max_size=8))
def test_a_layer_becomes_what_the_model_of_it_is(entries: list[Entry]) -> None:
    model = Modelled()
    is_refused = False
    for entry in entries:
        try:
            model.apply(entry)
        except Refused:
            is_refused = True
            break
    with tree() as (root, outside):
        before = state(outside)
        try:
            unpack.apply(io.BytesIO(tar_of(*entries)), root)
            assert not is_refused
            assert real(root) == model.nodes
            assert same_files(real(root)) == same_files(model.nodes)
        except Refused as refused:
            assert is_refused, str(refused)
        assert state(outside) == before
