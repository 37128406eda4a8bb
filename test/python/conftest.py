"""What the tests of rootfs/image share. They run under the Python of builders (`npm test -- python`), without a VM."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from hypothesis.configuration import set_hypothesis_home_dir

from pyro_image import places
from pyro_image.skopeo import Skopeo

set_hypothesis_home_dir("node_modules/.cache/hypothesis")
# The same examples in each run, so that a failure is of the change. `HYPOTHESIS_PROFILE=long` looks further.
settings.register_profile("default", derandomize=True, deadline=None, max_examples=200, database=None)
settings.register_profile("long", deadline=None, max_examples=20_000, database=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "default"))

type Messages = Callable[[], list[dict[str, Any]]]
type StandIn = Callable[[str, str], Path]


@pytest.fixture(autouse=True)
def work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder that a builder has at /workspace."""
    folder = tmp_path / "work"
    folder.mkdir()
    monkeypatch.setattr(places, "WORK", str(folder))
    monkeypatch.setattr(Skopeo, "stall_seconds", None)
    return folder


@pytest.fixture(autouse=True)
def owners(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int, int]]:
    """Owners that were given. Only root gives files to others, so nobody does here."""
    given: list[tuple[str, int, int]] = []

    def chown(path: str, uid: int, gid: int, **_: object) -> None:
        if not (0 <= uid < 1 << 32 and 0 <= gid < 1 << 32):
            raise OverflowError("an id beyond 32 bits")
        given.append((path, uid, gid))

    monkeypatch.setattr(os, "chown", chown)
    return given


@pytest.fixture(autouse=True)
def devices(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int, int]]:
    """Devices that were made, as files: only root makes devices."""
    made: list[tuple[str, int, int]] = []

    def mknod(path: str, mode: int, device: int) -> None:
        with open(path, "x"):
            made.append((path, mode, device))

    monkeypatch.setattr(os, "mknod", mknod)
    return made


@pytest.fixture
def said(capsys: pytest.CaptureFixture[str]) -> Messages:
    """What was said to the host since the last call."""
    return lambda: [json.loads(line) for line in capsys.readouterr().out.splitlines()]


@pytest.fixture
def stand_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> StandIn:
    """Puts a shell script in front of the PATH, in place of a program of the builder."""
    folder = tmp_path / "programs"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")

    def make(name: str, script: str) -> Path:
        program = folder / name
        program.write_text(f"#!/bin/sh\n{script}\n")
        program.chmod(0o755)
        return program

    return make
