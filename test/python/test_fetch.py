"""Fetching an image with a stand-in for skopeo: each run takes the next script, whose target directory is $TARGET."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from conftest import Messages, StandIn
from pyro_image import fetch
from pyro_image.common import Refused
from pyro_image.requests import Mirror
from pyro_image.skopeo import Skopeo

SOURCE = "docker://registry.test/app:1"
REACHED = "echo Getting image source signatures"
HALF_LAYER = f"{REACHED}; echo Copying blob sha256:1; head -c 1000 /dev/zero >$TARGET/part"
WHOLE = f"{HALF_LAYER}; exit 0"


def fatal(text: str) -> str:
    return f'cat >&2 <<\'END\'\ntime="now" level=fatal msg="{text}"\nEND\nexit 1'


ENDED = f"{HALF_LAYER}; {fatal('writing blob: storing blob to file: happened during read: unexpected EOF')}"
NOBODY = fatal("pinging container registry registry.test: connection refused")


def debug(text: str) -> str:
    return f'cat >&2 <<\'END\'\ntime="now" level=debug msg="{text}"\nEND\n'


def too_many(after: str, seconds: str) -> str:
    told = f"Too many requests to https://registry.test/v2/: sleeping for {seconds} seconds before next attempt"
    return debug(f"Detected 'Retry-After' header \\\"{after}\\\"") + debug(told)


@dataclass
class Told:
    refused: Refused | None
    runs: int


type Fetched = Callable[..., Told]


@pytest.fixture
def fetched(work: Path, stand_in: StandIn, monkeypatch: pytest.MonkeyPatch) -> Fetched:
    """Fetches with these scripts. No program is left behind."""
    monkeypatch.setattr(fetch, "PAUSES", (0, 0, 0))

    def run(*scripts: str, stall_seconds: float = 30) -> Told:
        monkeypatch.setattr(Skopeo, "stall_seconds", stall_seconds)
        for at, script in enumerate(scripts, 1):
            (work / f"run-{at}").write_text(script)
        stand_in(
            "skopeo",
            f"echo $$ >>{work}/runs; for last; do TARGET=${{last#dir:}}; done; mkdir -p $TARGET\n"
            f". {work}/run-$(wc -l <{work}/runs)",
        )
        refused = None
        try:
            fetch.fetch(SOURCE, {"architecture": "amd64"})
        except Refused as caught:
            refused = caught
        runs = (work / "runs").read_text().split()
        assert [pid for pid in runs if os.path.exists(f"/proc/{pid}")] == []
        return Told(refused, len(runs))

    return run


def test_it_goes_on_after_failures_of_a_registry_that_was_there(fetched: Fetched) -> None:
    assert fetched(ENDED, NOBODY, ENDED, WHOLE) == Told(None, 4)


def test_it_ends_after_four_attempts(fetched: Fetched) -> None:
    told = fetched(ENDED, ENDED, ENDED, ENDED, WHOLE)
    assert told.refused is not None
    assert (told.refused.kind, told.runs) == ("unreachable", 4)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("pinging container registry registry.test: connection refused", "unreachable"),
        ("reading manifest 1 in registry.test/app: unauthorized: authentication required", "unauthorized"),
        ("reading blob sha256:0: fetching blob: denied", "unauthorized"),
        ("reading manifest 1 in registry.test/app: toomanyrequests: slow down", "rate_limit"),
        ("reading manifest 1 in registry.test/app: manifest unknown", "not_found"),
        ("reading blob sha256:0: fetching blob: blob unknown to registry", "incomplete"),
        ("reading config blob sha256:0: fetching blob: StatusCode: 404, no", "incomplete"),
        ("writing blob: fetching blob: repository name not known to registry", "incomplete"),
        ("reading manifest 1 in registry.test/blob: name unknown", "not_found"),
        ("Digest did not match, expected sha256:0, got sha256:1", "digest"),
    ],
)
def test_it_does_not_repeat_what_fails_again(fetched: Fetched, text: str, kind: str) -> None:
    told = fetched(fatal(text), WHOLE)
    assert told.refused is not None
    assert (told.refused.kind, told.runs) == (kind, 1)


@pytest.mark.parametrize(
    "text",
    [
        "initializing image from source docker://a.test/app:1: invalid character '<' looking for beginning of value",
        "reading manifest 1 in registry.test/app: invalid character '\\x1f' looking for beginning of value",
        "reading manifest 1 in registry.test/app: unexpected end of JSON input",
    ],
)
def test_a_page_in_place_of_a_document_is_a_fault_of_the_registry(fetched: Fetched, text: str) -> None:
    told = fetched(*[fatal(text)] * 4)
    assert told.refused is not None
    assert told.refused.kind == "server"


def test_it_repeats_no_request_to_another_host_that_the_registry_named(fetched: Fetched) -> None:
    text = 'parsing blob: Get \\\\"http://169.254.169.254/x\\\\": dial tcp 169.254.169.254:80: connection refused'
    assert fetched(f"{REACHED}; {fatal(text)}", WHOLE).runs == 1


@pytest.mark.parametrize(
    "script",
    [pytest.param("sleep 600", id="before its manifest"), pytest.param(f"{HALF_LAYER}; sleep 600", id="within")],
)
def test_it_ends_a_registry_that_is_silent(fetched: Fetched, script: str) -> None:
    told = fetched(script, WHOLE, stall_seconds=2)
    assert (told.refused and told.refused.kind, str(told.refused), told.runs) == ("stalled", "no byte came for 2 s", 1)


def test_it_tells_how_much_of_the_layers_came(fetched: Fetched, said: Messages) -> None:
    fetched(f"{REACHED}; echo Copying blob sha256:1; head -c 3145728 /dev/zero >$TARGET/part; sleep 2; exit 0")
    assert "fetching layer 1: 3 MiB came" in [message["step"] for message in said()]


def test_it_lets_a_slow_registry_send(fetched: Fetched) -> None:
    slow = f"{REACHED}; for at in 1 2 3 4 5 6 7 8; do sleep 0.5; echo $at >>$TARGET/part; done; exit 0"
    assert fetched(slow, stall_seconds=2) == Told(None, 1)


def test_it_waits_as_long_as_a_busy_registry_wants_if_that_is_short(fetched: Fetched) -> None:
    assert fetched(f"{too_many('1', '3.000000')}sleep 3; {WHOLE}", stall_seconds=2) == Told(None, 1)


def test_it_waits_for_no_year(fetched: Fetched) -> None:
    told = fetched(f"{too_many('31536000', '60.000000')}sleep 600", WHOLE)
    assert (told.refused and told.refused.kind, told.runs) == ("rate_limit", 1)
    assert str(told.refused) == "too many requests, and the next one may come after 31536000 s"


def test_it_reads_lines_and_names_of_any_length(fetched: Fetched) -> None:
    long = f"head -c 10000000 /dev/zero | tr '\\0' x >&2; echo >&2; {too_many('y' * 5000, '60.000000')}sleep 600"
    told = fetched(long)
    assert told.refused is not None
    assert told.refused.kind == "rate_limit"
    assert len(str(told.refused)) < 200


def test_a_mirror_that_fails_is_passed_over_and_named_if_all_fail(
    fetched: Fetched, said: Messages, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[str, bool]] = []

    def fetch_from(source: str, _: str, plain_http: bool) -> None:
        asked.append((source, plain_http))
        raise Refused("digest", "no")

    monkeypatch.setattr(fetch, "fetch_from", fetch_from)
    mirror: Mirror = {"name": "mirror.test", "source": "docker://mirror.test/app:1", "plainHttp": True}
    with pytest.raises(Refused, match=r"^no; before that failed the mirror mirror\.test \(digest: no\)$"):
        fetch.fetch(SOURCE, {"architecture": "amd64", "mirrors": [mirror]})
    assert asked == [("docker://mirror.test/app:1", True), (SOURCE, False)]
    assert "the mirror mirror.test failed: digest" in [message.get("step") for message in said()]
