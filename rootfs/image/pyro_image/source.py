"""Takes the image that is asked for: from a registry, an archive, or a Dockerfile that is built."""

from __future__ import annotations

from pyro_image.fetch import fetch, log_in
from pyro_image.output import Output
from pyro_image.skopeo import Skopeo

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pyro_image.base import Over
    from pyro_image.flat import Modules
    from pyro_image.requests import Request


class Source:
    """Where the image came from: the mirror that gave it, or those of its Dockerfile's bases, and its beginning."""

    def __init__(self, request: Request) -> None:
        log_in(request.get("logins"))
        Skopeo.stall_seconds = request.get("stallSeconds")
        self.mirror: int | None = None
        self.base_mirrors: list[int] = []
        self.over: Over | None = None
        self.modules: Modules | None = None
        dockerfile = request.get("dockerfile")
        # What begins with an environment has its modules.
        if not Output.has_modules and not (dockerfile and dockerfile.get("present")):
            from pyro_image.flat import Modules

            self.modules = Modules()
        if dockerfile is None:
            self.mirror = fetch(source_of(request), request)
            return
        from pyro_image.dockerfile import build_file

        self.base_mirrors, self.over = build_file(dockerfile, request.get("devcontainer"))

    def fields(self) -> dict[str, object]:
        return {
            **({} if self.mirror is None else {"mirrorNumber": self.mirror}),
            **({} if self.base_mirrors == [] else {"baseMirrors": self.base_mirrors}),
        }


def source_of(request: Request) -> str:
    """The image in skopeo's form."""
    if "archive" not in request:
        return request["source"]
    from pyro_image.archive import image_of_archive

    return image_of_archive(request["archive"])
