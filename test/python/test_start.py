"""What a builder imports before it does its first work. Without KVM, each module costs milliseconds."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import pyro_image

PACKAGE = Path(pyro_image.__file__ or "").parent


def imported(name: str) -> set[str]:
    """Modules that a module imports when it is imported itself."""
    names: set[str] = set()
    for statement in ast.parse((PACKAGE / f"{name}.py").read_text()).body:
        if isinstance(statement, ast.Import):
            names.update(one.name for one in statement.names)
        elif isinstance(statement, ast.ImportFrom) and statement.module == "pyro_image":
            names.update(f"pyro_image.{one.name}" for one in statement.names)
        elif isinstance(statement, ast.ImportFrom):
            names.add(statement.module or "")
    return names


def closure(*names: str) -> set[str]:
    found: set[str] = set()
    left = {f"pyro_image.{name}" for name in names}
    while left:
        name = left.pop()
        found.add(name)
        if name.startswith("pyro_image."):
            left |= imported(name.removeprefix("pyro_image.")) - found
    return found


def test_a_pull_asks_the_registry_before_it_imports_what_follows() -> None:
    needed = closure("__main__", "output", "source")
    own = {name.removeprefix("pyro_image.") for name in needed if name.startswith("pyro_image.")}
    assert own == {"__main__", "common", "failures", "fetch", "output", "places", "skopeo", "source"}
    assert needed.isdisjoint({"hashlib", "tarfile"})


def test_a_pull_needs_no_module_of_python_that_only_types_or_rare_cases_need() -> None:
    needed = closure("__main__", "output", "source", "image")
    assert needed.isdisjoint({"typing", "dataclasses", "enum", "tempfile", "tarfile", "shutil", "concurrent.futures"})
    assert not {name for name in needed if name.startswith("collections")}


@pytest.mark.parametrize("name", sorted(path.stem for path in PACKAGE.glob("*.py")))
def test_no_module_imports_the_types_of_requests_while_it_runs(name: str) -> None:
    assert "pyro_image.requests" not in imported(name)
