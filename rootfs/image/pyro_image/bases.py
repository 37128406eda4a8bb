"""Which mirror gives the bases of a Dockerfile. buildah goes to the next place only until it has a manifest."""

from __future__ import annotations

import re

from pyro_image.common import Refused, progress
from pyro_image.failures import fetch_failure

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from pyro_image.requests import BaseMirror

PLACE = re.compile(r'level=debug msg="(Trying to access|Accessing) \\"([^"\\]{1,512})\\"')
DEBUG = re.compile(r'time="[^"]{1,64}" level=debug ')


class Bases:
    """Reads the places that buildah asks in its log.

    A step's program may write such lines: then a wrong mirror is named or passed over, and no more.
    """

    def __init__(self, mirrors: Sequence[BaseMirror]) -> None:
        # By their numbers in the request.
        self.left = dict(enumerate(mirrors))
        self.asked: int | None = None
        self.gave: set[int] = set()

    def is_log(self, line: str) -> bool:
        """Whether a line of the build's output is of the log. Takes what it says."""
        if not DEBUG.match(line):
            return False
        place = PLACE.search(line)
        if place:
            self.asked = self.number_of(place[2]) if place[1].startswith("Trying") else None
        return True

    def number_of(self, reference: str) -> int | None:
        found = [number for number, mirror in self.left.items() if reference.startswith(mirror["location"] + "/")]
        return max(found, key=lambda number: len(self.left[number]["location"]), default=None)

    def complete(self) -> None:
        """The image that was asked for is there: another step begins, or the build is done."""
        if self.asked is not None:
            self.gave.add(self.asked)
        self.asked = None

    def without_broken(self, refused: Refused) -> bool:
        """Leaves out the mirror that broke the build. False: none did, so the build failed by itself."""
        if self.asked is None:
            return False
        mirror = self.left.pop(self.asked)
        kind = refused.kind if refused.kind == "stalled" else fetch_failure(str(refused))[0]
        progress(f"the mirror {mirror['name']} failed: {kind}", 0.04)
        self.asked = None
        return True
