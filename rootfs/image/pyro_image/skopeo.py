"""Runs skopeo once. Ends it when a registry is silent, or wants a long wait."""

from __future__ import annotations

import os
import re
import subprocess
import threading
import time

from pyro_image.common import progress
from pyro_image.failures import fetch_failure

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import IO

# A registry may answer that it has too many requests (429) and name a time to wait. skopeo then waits by itself, up to
# a minute for each of five attempts, and says so with --debug alone. Together, in seconds:
LONGEST_WAITS = 20
ASKED_WAIT = re.compile(r"Detected 'Retry-After' header \\?\"([^\"\\]{1,64})")
WAITS = re.compile(r"Too many requests to .{1,4096}: sleeping for (\d+(?:\.\d+)?) seconds")
LONGEST_LINE = 65_536
KEPT_LINES = 40


class Skopeo:
    """skopeo, while it copies to a directory. Its two outputs are read as they come: a full pipe would stop it."""

    # The time in seconds for which a registry may send nothing. None: no limit.
    stall_seconds: float | None = None

    def __init__(self, argv: Sequence[str], directory: str) -> None:
        self.directory = directory
        self.events = 0
        self.blobs = 0
        self.reached = False
        self.waited = 0.0
        self.waits_until = 0.0
        self.asked: str | None = None
        self.said: list[str] = []
        self.reported_mib = 0
        self.child = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        assert self.child.stdout is not None and self.child.stderr is not None
        readers = ((self.child.stdout, self.see_output), (self.child.stderr, self.see_error))
        self.threads = [threading.Thread(target=self.read, args=pair, daemon=True) for pair in readers]
        for thread in self.threads:
            thread.start()

    def read(self, stream: IO[bytes], see: Callable[[str], None]) -> None:
        while line := stream.readline(LONGEST_LINE):
            self.events += 1
            see(line.decode("utf-8", "replace"))

    def see_output(self, line: str) -> None:
        # skopeo says this when it has the manifest.
        self.reached = self.reached or line.startswith("Getting image source signatures")
        if line.startswith("Copying blob"):
            self.blobs += 1
            progress(f"fetching layer {self.blobs}", min(0.05 + 0.05 * self.blobs, 0.4))

    def see_error(self, line: str) -> None:
        asked, waits = ASKED_WAIT.search(line), WAITS.search(line)
        if asked:
            self.asked = f"{asked[1]} s" if asked[1].isdigit() else asked[1]
        if waits:
            self.waited += float(waits[1])
            self.waits_until = time.monotonic() + float(waits[1])
        if "level=debug" not in line:
            self.said = [*self.said[-KEPT_LINES:], line]

    def arrived(self) -> tuple[int, int]:
        """Grows while the registry sends: the bytes of blobs, and before the first one, what skopeo says."""
        sizes = []
        for entry in os.scandir(self.directory) if os.path.isdir(self.directory) else ():
            try:
                sizes.append(0 if entry.name == "version" else entry.stat().st_size)
            except FileNotFoundError:
                # A blob that got its name in this moment.
                sizes.append(1)
        return (sum(sizes), self.blobs) if sum(sizes) > 0 else (0, self.events)

    def report(self, arrived_bytes: int) -> None:
        """Says how much came, for each further MiB at most."""
        mib = arrived_bytes >> 20
        if self.blobs > 0 and mib != self.reported_mib:
            self.reported_mib = mib
            progress(f"fetching layer {self.blobs}: {mib} MiB came", min(0.05 + 0.05 * self.blobs, 0.4))

    def wait(self) -> tuple[str, str] | None:
        """Waits for the end. The kind and the reason of a failure, or None."""
        seen, since = self.arrived(), time.monotonic()
        while True:
            try:
                code = self.child.wait(timeout=0.5)
                break
            except subprocess.TimeoutExpired:
                pass
            if self.waited > LONGEST_WAITS:
                return self.end(
                    "rate_limit",
                    "too many requests"
                    + ("" if self.asked is None else f", and the next one may come after {self.asked}"),
                )
            now = self.arrived()
            if now != seen:
                seen, since = now, time.monotonic()
            self.report(now[0])
            if self.stall_seconds and time.monotonic() - max(since, self.waits_until) > self.stall_seconds:
                return self.end("stalled", f"no byte came for {self.stall_seconds} s")
        for thread in self.threads:
            thread.join()
        return None if code == 0 else fetch_failure("".join(self.said))

    def end(self, kind: str, reason: str) -> tuple[str, str]:
        self.child.kill()
        self.child.wait()
        return kind, reason
