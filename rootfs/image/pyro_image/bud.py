"""Runs buildah's build once, and tells what it says. Its programs are hostile."""

from __future__ import annotations

import re
import subprocess

from pyro_image.common import MOST_LINE, Refused, import_ahead, output, progress
from pyro_image.pulls import Pulls
from pyro_image.trust import FIRST_TRUST_STEP, trust

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from pyro_image.bases import Bases
    from pyro_image.present import Present

# Of a Dockerfile with several stages, a step names its stage.
STEP = re.compile(r"(?:\[(?P<stage>\d+)/(?P<stages>\d+)\] )?STEP (?P<number>\d+)/(?P<count>\d+): (?P<words>.*)")
FROM = re.compile(r"FROM (?:--\S+ )*(?P<image>\S+)(?: AS (?P<name>\S+))?", re.IGNORECASE)
# A base has fewer triggers: the share of the work does not fall once they are counted.
MOST_TRIGGERS = 100
# buildah's own words between the lines of the steps' programs.
OF_BUILDAH = re.compile(
    r"(--> [0-9a-f]{12}|COMMIT built|Successfully tagged localhost/built:latest|[0-9a-f]{64}"
    r"|subprocess exited with status \d+)$"
)
MOST_LAST_LINES = 20
MOST_LAST_WORDS = 1900
MOST_STEP_WORDS = 120


class Told:
    """What the build said of its steps: progress for the host, and the end of the present step's output."""

    def __init__(self, trusted: bool, present: Present | None) -> None:
        # buildah counts the variables of the trust as a step behind FROM and the triggers of the base.
        self.own_steps = 1 if trusted else 0
        self.had_own_step = False
        self.present = present
        # Bases without triggers that buildah would count later: nothing, and earlier stages.
        self.known = {"scratch"}
        # Of the present step.
        self.step_line = ""
        self.position = ""
        self.words = ""
        self.last: list[str] = []
        # What buildah says of its failure.
        self.cause: str | None = None

    def take(self, text: str) -> bool:
        """Takes a line. True if another step begins."""
        step = STEP.match(text)
        if not step:
            self.take_line(text)
            return False
        self.words = step["words"]
        if self.words.startswith(FIRST_TRUST_STEP):
            self.had_own_step = True
            return False
        number, count = int(step["number"]), int(step["count"])
        triggers: int | None = 0
        if number == 1:
            self.had_own_step = False
            # buildah counts the triggers of the base once it has the base.
            triggers = self.triggers()
            count += triggers or 0
        if self.own_steps:
            number, count = max(number - self.had_own_step, 1), count - self.own_steps
        self.step_line, self.last, self.cause = f"STEP {number}/{count}: {self.words[:MOST_LINE]}", [], None
        stage, stages = int(step["stage"] or 1), int(step["stages"] or 1)
        self.position = f"stage {stage} of {stages}, " if stages > 1 else ""
        self.position += f"step {number} of {count}" if triggers is not None else f"step {number} of at least {count}"
        most = count if triggers is not None else count + MOST_TRIGGERS
        share = (stage - 1 + number / max(most, 1)) / max(stages, 1)
        progress(f"{self.position}: {self.words[:MOST_STEP_WORDS]}", 0.05 + 0.3 * share)
        return True

    def triggers(self) -> int | None:
        """Number of ONBUILD instructions of the base of a stage that begins. None: unknown before the base is here."""
        base = FROM.match(self.words)
        if base is None:
            return 0
        is_known = base["image"].lower() in self.known
        if base["name"]:
            self.known.add(base["name"].lower())
        return 0 if is_known else self.present.triggers(self.words) if self.present else None

    def take_line(self, text: str) -> None:
        """A line within a step. The cause of a failure is told at once, and once: words about buildah follow."""
        if self.cause is not None or OF_BUILDAH.match(text):
            return
        _, failed, cause = text.partition(f'building at STEP "{self.words}": ') if self.words else ("", "", "")
        if failed:
            self.cause = cause[:MOST_LINE]
            output(f"{self.position} failed: {self.cause}")
            return
        self.last = [*self.last[1 - MOST_LAST_LINES :], text[:MOST_LINE]]
        if self.step_line and text:
            output(text)

    def reason(self) -> str:
        """The step that failed, and the end of its output, which has the reason if buildah says none."""
        lines = self.last if self.cause is None else [*self.last, self.cause]
        words = "\n".join(lines)[-(MOST_LAST_WORDS - len(self.step_line)) :]
        return f"the build failed:\n{self.step_line}\n{words}"


def bud(argv: Sequence[str], context: str, bases: Bases | None = None, present: Present | None = None) -> None:
    """Runs buildah's build, which leaves the image as `built`. `bases` reads its log."""
    if present:
        present.mount()
    trusted = trust()
    # The format of OCI has no HEALTHCHECK, SHELL and ONBUILD.
    options = ["--isolation", "chroot", "--network", "host", "--format", "docker", "--tag", "built"]
    child = subprocess.Popen(
        [*argv, *trusted, *options, context],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        stdin=subprocess.DEVNULL,
        start_new_session=True,
    )
    assert child.stdout is not None
    pulls = Pulls(child)
    told = Told(bool(trusted), present)
    import_ahead()
    for line in child.stdout:
        text = line.decode("utf-8", "replace").rstrip()
        if present:
            text = present.shown(text)
        if bases is not None and bases.is_log(text):
            continue
        pulls.see(text[:MOST_LINE])
        if told.take(text) and bases is not None:
            bases.complete()
    code = child.wait()
    pulls.demand()
    if code != 0:
        raise Refused("dockerfile", told.reason())
    if bases is not None:
        bases.complete()
