"""Layers that are added to a file system."""

from __future__ import annotations

import os

import pytest

from pyro_image import flat, present
from pyro_image.common import Refused
from pyro_image.present import Base, Over


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
    ("kind", "name", "names_pull"),
    [
        ("tool", "registry.example/base:1", True),
        ("tool", "localhost/base", False),
        ("full", "registry.example/base:1", False),
    ],
)
def test_a_layer_that_cannot_be_added_names_pull_if_the_base_has_a_registry(
    monkeypatch: pytest.MonkeyPatch, kind: str, name: str, names_pull: bool
) -> None:
    def add_upper(*_: object) -> None:
        raise Refused(kind, "mkfs.erofs ended with 1")

    monkeypatch.setattr(present, "run", lambda _: None)
    monkeypatch.setattr(present, "add_upper", add_upper)
    base = Base(0, {"names": [name], "digest": "sha256:0", "config": {}, "file": "/nowhere"})
    with pytest.raises(Refused) as caught:
        Over("/nowhere", "image", base, ["layer"]).write("/nowhere", None)
    assert (caught.value.kind, "--pull" in str(caught.value)) == (kind, names_pull)
