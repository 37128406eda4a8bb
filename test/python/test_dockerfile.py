"""The build of a Dockerfile, with a stand-in for buildah."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from conftest import Messages, StandIn
from pyro_image import dockerfile, trust
from pyro_image.bud import bud
from pyro_image.common import Refused
from pyro_image.pulls import Pulls
from pyro_image.skopeo import Skopeo
from pyro_image.trust import STEP_BUNDLE, without_trust

HUB = {
    "name": "localhost:5000/hub",
    "registry": "docker.io",
    "location": "host.pyro.internal:5000/hub",
    "plainHttp": True,
}
MIRROR = {"name": "mirror.example.com", "registry": "docker.io", "location": "mirror.example.com", "plainHttp": False}


@dataclass
class Failed:
    progress: list[str]
    fractions: list[float]
    output: list[str]
    refused: Refused
    arguments: list[str]


type Fail = Callable[..., Failed]


@pytest.fixture
def fail(tmp_path: Path, stand_in: StandIn, said: Messages) -> Fail:
    """Builds with a buildah that prints this, and fails."""

    def build(output: str, present: Any = None) -> Failed:
        (tmp_path / "output").write_text(output)
        script = f"printf '%s\\n' \"$@\" > {tmp_path}/arguments\ncat {tmp_path}/output\nexit 1"
        with pytest.raises(Refused) as caught:
            bud([str(stand_in("buildah", script))], "/context", None, present)
        messages = said()
        return Failed(
            [one["step"] for one in messages if "step" in one],
            [one["fraction"] for one in messages if "fraction" in one],
            [one["line"] for one in messages if "line" in one],
            caught.value,
            (tmp_path / "arguments").read_text().splitlines(),
        )

    return build


class TestBuild:
    def test_a_failure_has_the_step_that_failed_and_the_end_of_its_output(self, fail: Fail) -> None:
        noise = "\n".join(f"warning {at} {'x' * 600}" for at in range(40))
        steps = f"STEP 1/2: FROM a\nCopying blob\nSTEP 2/2: RUN pip install flask\n{noise}\nERROR: the reason\n"
        failed = fail(steps)
        detail = str(failed.refused)
        assert failed.progress == ["step 1 of at least 2: FROM a", "step 2 of 2: RUN pip install flask"]
        assert failed.refused.kind == "dockerfile"
        assert detail.startswith("the build failed:\nSTEP 2/2: RUN pip install flask\n")
        assert detail.endswith("\nERROR: the reason")
        assert "Copying" not in detail
        # What the host is told at most.
        assert len(detail) <= 2000

    def test_lines_of_a_step_are_told_as_they_come_each_with_its_beginning(self, fail: Fail) -> None:
        long = "y" * 2000
        failed = fail(f"STEP 1/2: FROM a\nSTEP 2/2: RUN make\ncc a.c\n\n  {long}\nSTEP 3/3: RUN b\nlast\n")
        assert failed.output == ["cc a.c", f"  {long[:498]}", "last"]

    def test_the_reason_of_a_failure_is_told_once_and_at_once_without_words_of_buildah(self, fail: Fail) -> None:
        step = 'RUN test "a: b" && false'
        failed = fail(
            f"STEP 1/2: FROM a\n--> 0123456789ab\nSTEP 2/2: {step}\nof the program\n"
            f"subprocess exited with status 3\nsubprocess exited with status 3\n"
            f'Error: building at STEP "{step}": exit status 3\n'
            "github.com/containers/buildah/imagebuildah.(*StageExecutor).Execute\n\t/build/stage_executor.go:1\n"
        )
        assert failed.output == ["of the program", "step 2 of 2 failed: exit status 3"]
        assert str(failed.refused) == f"the build failed:\nSTEP 2/2: {step}\nof the program\nexit status 3"
        long = f"RUN {'x ' * 600}".strip()
        detail = str(fail(f'STEP 1/1: {long}\nError: building at STEP "{long}": exit status 4\n').refused)
        assert detail.endswith("\nexit status 4")

    @pytest.mark.parametrize("trusting", [False, True])
    def test_the_triggers_of_a_base_that_is_here_are_counted_from_the_first_step_on(
        self, fail: Fail, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, trusting: bool
    ) -> None:
        class Present:
            def mount(self) -> None:
                pass

            def shown(self, line: str) -> str:
                return line

            def triggers(self, words: str) -> int:
                return 1 if words == "FROM base" else 0

        own = ['ENV "NODE_EXTRA_CA_CERTS"="/x"'] if trusting else []
        if trusting:
            monkeypatch.setattr(trust, "HOST_AUTHORITIES", str(tmp_path))
        steps = ["FROM base", "RUN of base", *own, "RUN b"]
        counts = [len(steps) - 1, *[len(steps)] * (len(steps) - 1)]
        lines = [f"STEP {at}/{count}: {step}" for at, (step, count) in enumerate(zip(steps, counts, strict=True), 1)]
        failed = fail("\n".join(lines), Present())
        assert failed.progress == ["step 1 of 3: FROM base", "step 2 of 3: RUN of base", "step 3 of 3: RUN b"]

    def test_the_count_is_the_least_one_until_the_triggers_of_a_base_are_known(self, fail: Fail) -> None:
        failed = fail(
            "[1/3] STEP 1/2: FROM --platform=linux/amd64 a AS One\n[1/3] STEP 2/5: RUN of a\n"
            "[2/3] STEP 1/2: FROM one\n[2/3] STEP 2/2: RUN b\n[3/3] STEP 1/2: FROM scratch\n"
        )
        assert [line.partition(": ")[0] for line in failed.progress] == [
            "stage 1 of 3, step 1 of at least 2",
            "stage 1 of 3, step 2 of 5",
            "stage 2 of 3, step 1 of 2",
            "stage 2 of 3, step 2 of 2",
            "stage 3 of 3, step 1 of 2",
        ]
        assert failed.fractions == sorted(set(failed.fractions))

    def test_it_has_one_position_over_all_stages(self, fail: Fail) -> None:
        failed = fail(
            "[1/2] STEP 1/2: FROM a AS one\n[1/2] STEP 2/2: RUN b\n"
            "[2/2] STEP 1/2: FROM c\n[2/2] STEP 2/2: COPY --from=one /b /b\n"
        )
        assert failed.progress == [
            "stage 1 of 2, step 1 of at least 2: FROM a AS one",
            "stage 1 of 2, step 2 of 2: RUN b",
            "stage 2 of 2, step 1 of at least 2: FROM c",
            "stage 2 of 2, step 2 of 2: COPY --from=one /b /b",
        ]
        assert failed.fractions == sorted(set(failed.fractions))
        assert len(failed.fractions) == 4

    def test_steps_trust_what_the_builder_trusts_if_that_is_more_than_the_public_authorities(
        self, fail: Fail, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        assert "--volume" not in fail("").arguments
        monkeypatch.setattr(trust, "HOST_AUTHORITIES", str(tmp_path))
        arguments = fail("").arguments
        assert "/etc/ssl/certs/ca-certificates.crt:/run/pyro-certificates.pem:ro" in arguments
        assert "--env=PIP_CERT=/run/pyro-certificates.pem" in arguments

    def test_the_image_has_none_of_the_variables_of_that_trust(self) -> None:
        given = ["A=1", "PIP_CERT=/mine", f"SSL_CERT_FILE={STEP_BUNDLE}"]
        assert without_trust(given) == ["A=1", "PIP_CERT=/mine"]

    def test_the_step_that_sets_them_is_no_progress(
        self, fail: Fail, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(trust, "HOST_AUTHORITIES", str(tmp_path))
        variables = 'ENV "NODE_EXTRA_CA_CERTS"="/run/pyro-certificates.pem"'
        failed = fail(f"STEP 1/3: FROM a\nSTEP 2/3: {variables}\nSTEP 3/3: RUN b\n")
        assert failed.progress == ["step 1 of at least 2: FROM a", "step 2 of 2: RUN b"]
        assert "STEP 2/2: RUN b" in str(failed.refused)


@dataclass
class Built:
    messages: list[dict[str, Any]]
    gave: list[int] | None
    refused: Refused | None
    # Names of the mirrors in each attempt.
    places: list[list[str]]

    def mirrors(self) -> list[str]:
        steps = [str(one.get("step")) for one in self.messages]
        return [step for step in steps if step.startswith("the mirror")]


type Build = Callable[[str, list[dict[str, Any]]], Built]


@pytest.fixture
def build(work: Path, tmp_path: Path, stand_in: StandIn, said: Messages, monkeypatch: pytest.MonkeyPatch) -> Build:
    """Builds a Dockerfile. `$build` counts the runs of the script from 0."""

    def run(script: str, mirrors: list[dict[str, Any]]) -> Built:
        stand_in(
            "buildah",
            f'case " $* " in *" push "*) exit 0 ;; esac\necho "$*" >> {tmp_path}/arguments\n'
            f"build=$(cat {tmp_path}/count 2>/dev/null || echo 0)\necho $((build + 1)) > {tmp_path}/count\n"
            f"write() {{ echo more >> {tmp_path}/written; }}\n{script}",
        )
        (work / "Dockerfile").write_text("FROM a\nRUN b\n")
        places: list[list[str]] = []
        monkeypatch.setattr(
            dockerfile, "registries", lambda _, given: places.append([mirror["name"] for mirror in given])
        )
        request: Any = {"file": "Dockerfile", "arguments": {}, "loopbackPorts": [], "mirrors": mirrors}
        try:
            gave, _ = dockerfile.build_file(request, None)
            return Built(said(), gave, None, places)
        except Refused as refused:
            return Built(said(), None, refused, places)

    return run


def log(text: str) -> str:
    escaped = text.replace('"', '\\"')
    return f'time="2026-11-28T20:02:14Z" level=debug msg="{escaped}"\n'


def asks(place: str) -> str:
    return log(f'Trying to access "{place}"')


def lacks(place: str) -> str:
    return asks(place) + log(f'Accessing "{place}" failed: manifest unknown')


class TestMirrors:
    """Mirrors of a Dockerfile's bases."""

    @pytest.fixture
    def prints(self, tmp_path: Path, build: Build) -> Callable[..., Built]:
        """Each build prints the next text, and fails unless the text ends with a step."""

        def run(*texts: str, mirrors: list[dict[str, Any]] | None = None) -> Built:
            for at, text in enumerate(texts):
                (tmp_path / f"build-{at}").write_text(text)
            script = f"cat {tmp_path}/build-$build\ntail -n 1 {tmp_path}/build-$build | grep -q ^STEP"
            return build(script, [HUB, MIRROR] if mirrors is None else mirrors)

        return run

    def test_the_one_that_gave_a_base_is_known_and_the_log_is_no_output_of_a_step(
        self, prints: Callable[..., Built]
    ) -> None:
        asked = lacks("host.pyro.internal:5000/hub/library/a:1") + asks("mirror.example.com/library/a:1")
        built = prints(f"STEP 1/2: FROM a\n{asked}STEP 2/2: RUN b\n")
        assert (built.gave, built.mirrors()) == ([1], [])
        assert [one for one in built.messages if one["_tag"] == "Output"] == []

    def test_one_that_breaks_a_base_after_its_manifest_is_left_out_and_the_build_begins_again(
        self, prints: Callable[..., Built]
    ) -> None:
        begins = "STEP 1/2: FROM a\n"
        built = prints(
            f"{begins}{asks('host.pyro.internal:5000/hub/library/a:1')}Error: reading blob: Digest did not match\n",
            f"{begins}{asks('mirror.example.com/library/a:1')}Error: unexpected EOF\n",
            f"{begins}{asks('docker.io/library/a:1')}STEP 2/2: RUN b\n",
        )
        assert built.places == [["localhost:5000/hub", "mirror.example.com"], ["mirror.example.com"], []]
        assert built.mirrors() == [
            "the mirror localhost:5000/hub failed: digest",
            "the mirror mirror.example.com failed: unreachable",
        ]
        assert built.gave == []

    def test_a_step_that_fails_is_no_fault_of_the_mirror_that_gave_its_base(self, prints: Callable[..., Built]) -> None:
        asked = asks("mirror.example.com/library/a:1")
        built = prints(f"STEP 1/2: FROM a\n{asked}STEP 2/2: RUN b\n{log('Running b')}the reason\n")
        assert built.mirrors() == []
        assert str(built.refused) == "the build failed:\nSTEP 2/2: RUN b\nthe reason"

    def test_without_mirrors_there_is_no_log_and_a_failure_is_final(
        self, prints: Callable[..., Built], tmp_path: Path
    ) -> None:
        built = prints(f"STEP 1/2: FROM a\n{asks('docker.io/library/a:1')}Error: gone\n", mirrors=[])
        assert "debug" not in (tmp_path / "arguments").read_text()
        assert str(built.refused).endswith("STEP 1/2: FROM a\nError: gone")


BEGIN = "echo 'STEP 1/2: FROM registry.test/base:1'; echo 'Trying to pull registry.test/base:1...'"
# Longer than a silence may be.
TWO_SECONDS = "for n in 1 2 3 4 5 6 7; do sleep 0.3; write; done"


class TestSilence:
    """A pull of the build that sends nothing for a second."""

    @pytest.fixture(autouse=True)
    def limit(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        written = tmp_path / "written"
        written.touch()
        monkeypatch.setattr(Skopeo, "stall_seconds", 1)
        # The disk of this host is never at rest.
        monkeypatch.setattr(Pulls, "arrived", lambda self: (self.lines, written.stat().st_size))

    @pytest.mark.parametrize(
        ("script", "image"),
        [
            pytest.param(f"{BEGIN}; sleep 1000", "registry.test/base:1", id="nothing comes"),
            pytest.param(
                f"{BEGIN}; echo 'Copying blob abc'; write; sleep 1000", "registry.test/base:1", id="within a layer"
            ),
            pytest.param(
                "echo 'STEP 1/3: FROM scratch'; echo 'STEP 2/3: COPY --from=registry.test/other:1 /a /b'; "
                "echo 'Trying to pull registry.test/other:1...'; sleep 1000",
                "registry.test/other:1",
                id="the image of a COPY --from",
            ),
        ],
    )
    def test_a_registry_that_falls_silent_ends_the_build_with_all_its_programs(
        self, build: Build, script: str, image: str
    ) -> None:
        refused = build(script, []).refused
        assert refused is not None
        assert (refused.kind, str(refused), refused.image) == ("stalled", "no byte came for 1 s", image)

    def test_a_slow_registry_that_goes_on_sending_does_not_end_the_build(self, build: Build) -> None:
        assert build(f"{BEGIN}; {TWO_SECONDS}; echo 'STEP 2/2: RUN b'", []).refused is None

    def test_a_step_may_be_silent_whatever_its_program_prints(self, build: Build) -> None:
        pulled = f"{BEGIN}; echo 'Writing manifest to image destination'; sleep 2"
        step = "echo 'STEP 2/2: RUN b'; echo 'Trying to pull registry.test/base:1...'; sleep 2"
        assert build(f"{pulled}; {step}", []).refused is None

    def test_a_mirror_that_falls_silent_is_left_out_and_the_build_begins_again(self, build: Build) -> None:
        ask = f"cat <<'END'\n{asks('mirror.example.com/base:1')}END\n"
        built = build(f"{BEGIN}; if [ $build = 0 ]; then {ask} sleep 1000; fi; echo 'STEP 2/2: RUN b'", [MIRROR])
        assert built.refused is None
        assert built.mirrors() == ["the mirror mirror.example.com failed: stalled"]
