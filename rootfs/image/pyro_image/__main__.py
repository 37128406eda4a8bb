"""Does the one thing that the request on stdin asks for. stdout: one JSON object a line, see `BuilderMessage` in src/lib/environment/model/image-builder.ts."""

import json
import sys


def main():
    request = json.load(sys.stdin)
    # Each imports what its request needs, and no more: without KVM, Python takes a second for all modules.
    if "export" in request:
        from pyro_image.export import main as work
    else:
        from pyro_image.image import main as work
    work(request)


if __name__ == "__main__":
    main()
