"""Layers that are added to a file system."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from pyro_image import base as bases
from pyro_image import flat
from pyro_image.base import Base, Over
from pyro_image.common import Refused
from pyro_image.hidden_modules import hide_modules


def test_the_root_of_a_layer_loses_what_has_no_room_in_the_place_of_the_root_below_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    did: list[object] = []
    monkeypatch.setattr(flat, "as_layer", lambda _: did.append("as layer"))
    monkeypatch.setattr(flat, "check_room", lambda _: did.append("room"))
    monkeypatch.setattr(flat, "run_fed", lambda *_: did.append("added"))
    monkeypatch.setattr(os, "listxattr", lambda _: ["user.note", "system.posix_acl_access"])
    monkeypatch.setattr(os, "removexattr", lambda _, name: did.append(name))
    monkeypatch.setattr(os, "chown", lambda _, uid, gid: did.append((uid, gid)))
    monkeypatch.setattr(os, "utime", lambda _, times: did.append(times))
    flat.add_upper("/nowhere/upper", [])
    plain = ["user.note", "system.posix_acl_access", (0, 0), (0, 0)]
    assert did == ["as layer", *plain, "added", "room"]


@pytest.mark.parametrize(
    ("kind", "name", "way"),
    [
        ("tool", "registry.example/base:1", "--pull"),
        ("tool", "localhost/base", "COPY --from=localhost/base / /"),
        ("full", "registry.example/base:1", None),
    ],
)
def test_a_layer_that_cannot_be_added_names_the_way_around_its_base(
    monkeypatch: pytest.MonkeyPatch, kind: str, name: str, way: str | None
) -> None:
    def add_upper(*_: object) -> None:
        raise Refused(kind, "mkfs.erofs ended with 1")

    monkeypatch.setattr(bases, "run", lambda _: None)
    monkeypatch.setattr(bases, "add_upper", add_upper)
    base = Base(0, {"names": [name], "digest": "sha256:0", "config": {}, "file": "/nowhere"})
    with pytest.raises(Refused) as caught:
        Over("/nowhere", "image", base, ["layer"]).write("/nowhere", None)
    assert caught.value.kind == kind
    assert (way or "") in str(caught.value)
    assert ("\n" in str(caught.value)) == (way is not None)


type Make = Callable[[Path], None]


def folder(root: Path, place: str, mode: int = 0o755) -> None:
    (root / place).mkdir(parents=True, exist_ok=True)
    (root / place).chmod(mode)
    os.utime(root / place, (5, 5))


def merged_usr(root: Path) -> None:
    folder(root, "usr/lib/modules")
    folder(root, "usr/lib", 0o711)
    (root / "lib").symlink_to("usr/lib")


def linked_modules(root: Path) -> None:
    folder(root, "usr/lib/modules")
    folder(root, "usr/lib", 0o711)
    folder(root, "lib")
    (root / "lib/modules").symlink_to("../usr/lib/modules")
    folder(root, "lib", 0o700)


def modules_of_the_image_beside(root: Path) -> None:
    folder(root, "usr/lib/modules")
    folder(root, "lib/modules")
    folder(root, "lib")


@pytest.mark.parametrize(
    ("make", "hidden"),
    [
        (merged_usr, {"usr/lib/modules": 0o711}),
        (linked_modules, {"lib/modules": 0o700, "usr/lib/modules": 0o711}),
        (modules_of_the_image_beside, {"lib/modules": 0o755}),
        (lambda root: folder(root, "opt"), {}),
    ],
)
def test_the_modules_of_the_kernel_are_hidden_and_their_directories_stay(
    tmp_path: Path, devices: list[tuple[str, int, int]], make: Make, hidden: dict[str, int]
) -> None:
    root, upper = tmp_path / "root", tmp_path / "upper"
    root.mkdir()
    upper.mkdir()
    make(root)
    hide_modules(str(root), str(upper))
    assert devices == [(f"{upper}/{place}", 0o020000, 0) for place in hidden]
    for place, mode in hidden.items():
        stat = (upper / place).parent.stat()
        assert (stat.st_mode & 0o7777, stat.st_mtime) == (mode, 5)
