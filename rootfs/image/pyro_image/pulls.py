"""Ends a build whose pull of an image is silent."""

from __future__ import annotations

import os
import re
import signal
import threading
import time

from pyro_image import places
from pyro_image.common import Refused
from pyro_image.skopeo import Skopeo

TYPE_CHECKING = False
if TYPE_CHECKING:
    import subprocess

STEP_LINE = re.compile(r"(?:\[\d+/\d+\] )?STEP \d+/\d+: (.*)")
# Only these steps pull. The program of another step may print whatever it likes.
PULLING_STEP = re.compile(r"(?i)(FROM\b|.{0,4096}\bfrom=)")
PULL_LINE = re.compile(r"Trying to pull (\S{1,512})\.\.\.$")
PULLED_LINE = re.compile(r"Writing manifest to image destination|COMMIT\b|--> ")
LOOK_SECONDS = 0.5


class Pulls:
    """buildah, while it builds.

    What a registry sends is written to the disk at once, so a pull that neither says nor writes anything is silent.
    """

    def __init__(self, child: subprocess.Popen[bytes]) -> None:
        self.child = child
        self.step = ""
        self.image: str | None = None
        self.lines = 0
        self.stalled = False
        if Skopeo.stall_seconds:
            threading.Thread(target=self.watch, args=(Skopeo.stall_seconds,), daemon=True).start()

    def see(self, line: str) -> None:
        self.lines += 1
        step, pull = STEP_LINE.match(line), PULL_LINE.match(line)
        if step:
            self.step, self.image = step[1], None
        elif pull and PULLING_STEP.match(self.step):
            self.image = pull[1]
        elif PULLED_LINE.match(line):
            self.image = None

    def arrived(self) -> tuple[int, ...]:
        """Changes while something comes."""
        disk = os.statvfs(places.WORK)
        return (self.lines, disk.f_bfree, disk.f_ffree)

    def watch(self, stall_seconds: float) -> None:
        seen, since = self.arrived(), time.monotonic()
        while self.child.poll() is None:
            time.sleep(LOOK_SECONDS)
            now = self.arrived()
            if self.image is None or now != seen:
                seen, since = now, time.monotonic()
            if time.monotonic() - since > stall_seconds:
                self.stalled = True
                # Its programs hold its output open.
                os.killpg(self.child.pid, signal.SIGKILL)
                return

    def demand(self) -> None:
        """Refuses a build that was ended."""
        if self.stalled:
            raise Refused("stalled", f"no byte came for {Skopeo.stall_seconds} s", image=self.image)
