"""Does what the request on stdin asks for.

stdout: one JSON object a line, see `BuilderMessage` in src/lib/environment/model/image-builder.ts.
"""

from __future__ import annotations

import json
import os
import sys

from pyro_image import places
from pyro_image.common import say

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pyro_image.requests import Request


def perform(request: Request) -> None:
    """Imports what the request needs, and no more: without KVM, Python takes a second for all modules."""
    os.chdir(places.WORK)
    if "export" in request:
        from pyro_image.export import export

        export(request["export"])
        return
    from pyro_image.output import Output

    Output.use(request.get("result"))
    if "modules" in request:
        from pyro_image.flat import begin

        begin()
    elif "commit" in request:
        from pyro_image.commit import commit

        commit(request["commit"])
    elif "added" in request:
        from pyro_image.packages import add_packages

        add_packages(request["added"])
    else:
        from pyro_image.source import Source

        source = Source(request)
        from pyro_image.image import make_image

        make_image(request, source)


def main() -> None:
    request: Request = json.load(sys.stdin.buffer)
    try:
        perform(request)
    except Exception as error:
        from pyro_image.refusals import refusal_of

        say(_tag="Refused", **refusal_of(error, request))
    # Python's own end waits for the layers that threads still write.
    os._exit(0)


if __name__ == "__main__":
    main()
