"""What the host learns of an exception."""

from __future__ import annotations

import os
import tarfile
from pathlib import Path

import pytest

from pyro_image.common import Refused
from pyro_image.refusals import refusal_of


def test_a_refusal_has_its_kind_its_image_and_the_size_of_the_steps(work: Path) -> None:
    (work / "steps").write_bytes(b"12345")
    dockerfile = {"arguments": {}, "loopbackPorts": [], "steps": {"to": str(work / "steps")}}
    refusal = refusal_of(Refused("stalled", "x" * 3000, image="base"), {"dockerfile": dockerfile})  # type: ignore[typeddict-item]
    assert refusal == {"kind": "stalled", "detail": "x" * 2000, "image": "base", "stepsBytes": 5}


def test_an_export_has_one_kind_of_refusal() -> None:
    request = {"architecture": "amd64", "created": "", "config": {}}
    assert refusal_of(Refused("tool", "no"), {"export": request})["kind"] == "export"  # type: ignore[typeddict-item]


def test_a_file_of_the_image_is_named_by_its_place_in_the_image(work: Path) -> None:
    error = OSError(13, os.strerror(13), f"{work}/top/merged/etc/shadow")
    assert refusal_of(error, {}) == {
        "kind": "image",
        "detail": "'/etc/shadow' of the image cannot be used: Permission denied",
    }
    assert refusal_of(OSError(13, "no", f"{work}/root.erofs"), {})["kind"] == "tool"
    assert refusal_of(OSError(28, os.strerror(28)), {})["kind"] == "full"


@pytest.mark.parametrize("error", [KeyError("x"), TypeError("x"), UnicodeError("x"), tarfile.ReadError("x")])
def test_a_document_of_other_types_is_a_fault_of_the_image(error: Exception) -> None:
    assert refusal_of(error, {})["kind"] == "image"


def test_a_fault_of_the_program_is_none_of_the_image() -> None:
    with pytest.raises(AssertionError):
        refusal_of(AssertionError(), {})
