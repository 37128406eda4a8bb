"""Features of dev containers in the builder: their order, their sources, and their options."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from pyro_image.features import Feature, FeatureRefused, in_order, recipe_of, source_of, without_comments

USERS = {"container": "root", "remote": "a b'c", "image": "root"}


def feature(name: str, after: list[str] | None = None) -> Feature:
    return Feature(name, {}, "", {"installsAfter": after or []})


@pytest.mark.parametrize(
    ("given", "first", "expected"),
    [
        pytest.param({"r/b:1": [], "r/a:2": []}, [], ["r/a:2", "r/b:1"], id="by their ids"),
        pytest.param({"r/a:1": ["r/b"], "r/b:7": []}, [], ["r/b:7", "r/a:1"], id="after those that they name"),
        pytest.param({"r/a:1": ["r/x"], "r/b:1": []}, [], ["r/a:1", "r/b:1"], id="without those that are not there"),
        pytest.param({"r/a": [], "r/b": [], "r/c": []}, ["r/c", "r/b"], ["r/c", "r/b", "r/a"], id="the person's first"),
    ],
)
def test_features_are_installed_in_order(given: dict[str, list[str]], first: list[str], expected: list[str]) -> None:
    features = [feature(name, after) for name, after in given.items()]
    assert [one.id for one in in_order(features, first)] == expected


def test_features_are_installed_after_those_that_they_need() -> None:
    one, other = feature("r/a:1"), feature("r/b:1")
    one.needs = [other]
    assert in_order([one, other], []) == [other, one]


def test_features_that_need_each_other_are_refused() -> None:
    one, other = feature("r/a"), feature("r/b")
    one.needs, other.needs = [other], [one]
    with pytest.raises(FeatureRefused, match="in a circle: r/a, r/b"):
        in_order([one, other], [])


@pytest.mark.parametrize(
    ("name", "source"),
    [
        ("ghcr.io/devcontainers/features/node:1", ["docker://ghcr.io/devcontainers/features/node:1"]),
        ("ghcr.io/a/b", ["docker://ghcr.io/a/b:latest"]),
        ("localhost:5000/a/b:1", ["--src-tls-verify=false", "docker://host.pyro.internal:5000/a/b:1"]),
    ],
)
def test_a_reference_is_a_source(name: str, source: list[str]) -> None:
    assert source_of(name) == source


@pytest.mark.parametrize("name", ["node", "https://example.com/devcontainer-feature-x.tgz"])
def test_what_is_no_reference_is_refused_by_name(name: str) -> None:
    with pytest.raises(FeatureRefused, match=name):
        source_of(name)


def test_an_option_is_a_word_for_the_shell_whatever_it_says(tmp_path: Path) -> None:
    options = {"a.b": "$(id) 'x' \"y\"\n`z`", "1c": 7, "on": True}
    recipe_of([Feature("r/a", options, str(tmp_path), {})], "base", USERS)
    script = (tmp_path / "pyro-install.sh").read_text().split("cd /.pyro-feature")[0]
    shown = subprocess.run(
        ["sh", "-c", script + 'printf \'%s|\' "$A_B" "$_C" "$ON" "$_REMOTE_USER"'],
        capture_output=True,
        text=True,
        check=True,
    )
    assert shown.stdout == "$(id) 'x' \"y\"\n`z`|7|true|a b'c|"


def test_variables_of_a_feature_are_steps_unless_they_are_none(tmp_path: Path) -> None:
    meta = {"containerEnv": {"A": 'a "b" \\c', "B": "two\nlines", "no name": "x"}}
    recipe = recipe_of([Feature("r/a", {}, str(tmp_path), meta)], "base", USERS)
    assert [line for line in recipe.splitlines() if line.startswith("ENV")] == ['ENV A="a \\"b\\" \\\\c"']


def test_json_with_comments_is_read() -> None:
    text = '{ // one\n "a": "b // c", /* two */ "d": [1, 2,], }'
    assert json.loads(without_comments(text)) == {"a": "b // c", "d": [1, 2]}
