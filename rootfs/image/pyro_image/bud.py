"""Runs buildah's build once, and tells what it says. Its programs are hostile."""

from __future__ import annotations

import re
import subprocess

from pyro_image.common import MOST_LINE, Refused, output, progress
from pyro_image.pulls import Pulls
from pyro_image.trust import FIRST_TRUST_STEP, trust

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from pyro_image.bases import Bases
    from pyro_image.present import Present

# Of a Dockerfile with several stages, a step names its stage.
STEP = re.compile(r"(?:\[(?P<stage>\d+)/(?P<stages>\d+)\] )?STEP (?P<number>\d+)/(?P<count>\d+): (?P<words>.*)")
MOST_LAST_LINES = 20
MOST_LAST_WORDS = 1900
MOST_STEP_WORDS = 120


class Told:
    """What the build said of its steps: progress for the host, and the end of the present step's output."""

    def __init__(self, trusted: bool) -> None:
        # buildah counts the variables of the trust as a step behind FROM.
        self.own_steps = 1 if trusted else 0
        self.step_line = ""
        self.last: list[str] = []

    def take(self, text: str) -> bool:
        """Takes a line. True if another step begins."""
        step = STEP.match(text)
        if not step:
            self.last = [*self.last[1 - MOST_LAST_LINES :], text]
            if self.step_line and text:
                output(text)
            return False
        if step["words"].startswith(FIRST_TRUST_STEP):
            return False
        number, count = int(step["number"]), int(step["count"])
        if self.own_steps:
            number, count = max(number - self.own_steps, 1), count - self.own_steps
        self.step_line, self.last = f"STEP {number}/{count}: {step['words']}", []
        stage, stages = int(step["stage"] or 1), int(step["stages"] or 1)
        of = f"stage {stage} of {stages}, " if stages > 1 else ""
        share = (stage - 1 + number / max(count, 1)) / max(stages, 1)
        progress(f"{of}step {number} of {count}: {step['words'][:MOST_STEP_WORDS]}", 0.05 + 0.3 * share)
        return True

    def reason(self) -> str:
        """The step that failed, and the end of its output, which has the reason."""
        words = "\n".join(self.last)[-(MOST_LAST_WORDS - len(self.step_line)) :]
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
    told = Told(bool(trusted))
    for line in child.stdout:
        text = line.decode("utf-8", "replace").rstrip()[:MOST_LINE]
        if present:
            text = present.shown(text)
        if bases is not None and bases.is_log(text):
            continue
        pulls.see(text)
        if told.take(text) and bases is not None:
            bases.complete()
    code = child.wait()
    pulls.demand()
    if code != 0:
        raise Refused("dockerfile", told.reason())
    if bases is not None:
        bases.complete()
