"""What the host learns of an exception."""

from __future__ import annotations

import os
import re

from pyro_image import places
from pyro_image.common import Refused

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pyro_image.requests import Request

NO_SPACE = 28
MOST_DETAIL = 2000
# What a document of a stranger leads to if its parts are of other types than the specifications say.
OF_DOCUMENTS = (ValueError, KeyError, TypeError, AttributeError, OverflowError)


def steps_of(request: Request) -> dict[str, int]:
    """The size of the file of the build's steps, if there is one."""
    dockerfile = request.get("dockerfile")
    path = (dockerfile.get("steps") or {}).get("to") if dockerfile else None
    return {"stepsBytes": os.stat(path).st_size} if path and os.path.lexists(path) else {}


def failed_file(error: OSError) -> dict[str, str]:
    """A file of the image has a form that pyro cannot use, or the builder's own file failed."""
    # Where the builder has the tree of an image.
    within = rf"{places.WORK}/(?:top/(?:merged|upper)|lower/\d+|unpacked/\d+/(?:merged|upper))(?=/|$)"
    name = os.fsdecode(error.filename) if isinstance(error.filename, str | bytes) else ""
    tree = re.match(within, name)
    if not tree:
        return {"kind": "tool", "detail": str(error)[:MOST_DETAIL]}
    place = name[tree.end() :] or "/"
    reason = os.strerror(error.errno or 0)
    return {"kind": "image", "detail": f"{place!r} of the image cannot be used: {reason}"[:MOST_DETAIL]}


def is_of_documents(error: Exception) -> bool:
    if isinstance(error, OF_DOCUMENTS):
        return True
    import tarfile

    return isinstance(error, tarfile.TarError)


def refusal_of(error: Exception, request: Request) -> dict[str, object]:
    """The fields of the message `Refused`. Raises what no image can lead to."""
    detail = str(error)[:MOST_DETAIL]
    if isinstance(error, Refused):
        # An export has one reason: the file system is of an environment that pyro made.
        kind = "export" if "export" in request else error.kind
        image = {} if error.image is None else {"image": error.image}
        return {"kind": kind, "detail": detail, **image, **steps_of(request)}
    if isinstance(error, OSError):
        return {"kind": "full", "detail": detail} if error.errno == NO_SPACE else {**failed_file(error)}
    if is_of_documents(error):
        return {"kind": "image", "detail": f"{type(error).__name__}: {error}"[:MOST_DETAIL]}
    raise error
