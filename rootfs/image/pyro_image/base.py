"""An environment of the host as a base of a Dockerfile, and the image that a build makes over it. Both are hostile."""

from __future__ import annotations

import base64
import json
import os
import tarfile

from pyro_image import places
from pyro_image.common import TAR_BLOCK, Refused, progress, read_json, run
from pyro_image.digests import digest_of
from pyro_image.flat import add_upper, modules_at
from pyro_image.hidden_modules import hide_modules
from pyro_image.mounts import mount, mount_erofs, mount_file
from pyro_image.output import Output
from pyro_image.tree import remove

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from pyro_image.requests import PresentBase

DOCKER = "application/vnd.docker"
EPOCH = "1970-01-01T00:00:00Z"


def layer_with(name: str) -> bytes:
    return tarfile.TarInfo(name).tobuf() + bytes(2 * TAR_BLOCK)


class Base:
    """An environment. buildah knows it as an image of two layers.

    The directory of the first is a mount of the environment. The second hides the modules of pyro's kernel.
    """

    def __init__(self, number: int, given: PresentBase) -> None:
        self.name = f"localhost/pyro-base-{number}"
        self.names = given["names"]
        self.file = given["file"]
        self.config = given["config"]
        # The layers' own content tells one environment from others. That of the first is behind the mount.
        self.mark = f".pyro-without-modules-{given['digest']}"
        self.contents = [layer_with(f".pyro-base-{given['digest']}"), layer_with(self.mark)]
        self.layer = digest_of(self.contents[0]).split(":")[1]
        self.hiding = ""

    def documents(self) -> tuple[bytes, bytes]:
        """The image's manifest and configuration."""
        config = json.dumps(
            {
                "os": "linux",
                "architecture": "amd64",
                "created": EPOCH,
                "config": self.config,
                "rootfs": {"type": "layers", "diff_ids": [digest_of(one) for one in self.contents]},
                # Without a time, buildah finds no step that it has.
                "history": [{"created": EPOCH, "created_by": self.names[0]} for _ in self.contents],
            }
        ).encode()

        def described(media_type: str, content: bytes) -> dict[str, object]:
            return {"mediaType": f"{DOCKER}.{media_type}", "digest": digest_of(content), "size": len(content)}

        manifest = json.dumps(
            {
                "schemaVersion": 2,
                "mediaType": f"{DOCKER}.distribution.manifest.v2+json",
                "config": described("container.image.v1+json", config),
                "layers": [described("image.rootfs.diff.tar", one) for one in self.contents],
            }
        ).encode()
        return manifest, config

    def make(self, store: str) -> None:
        """Gives buildah's store the image."""
        folder = f"{places.WORK}/.pyro-base"
        os.mkdir(folder)
        manifest, config = self.documents()
        files = {"manifest.json": manifest, "version": b"Directory Transport Version: 1.1\n"}
        for content in (config, *self.contents):
            files[digest_of(content).split(":")[1]] = content
        for name, content in files.items():
            with open(f"{folder}/{name}", "wb") as file:
                file.write(content)
        stored = f"containers-storage:[overlay@{store}+{places.RUN_ROOT}]{self.name}:latest"
        run(["skopeo", "copy", "--quiet", f"dir:{folder}", stored])
        remove(folder)
        images = read_json(f"{store}/overlay-images/images.json")
        self.hiding = next(image["layer"] for image in images if f"{self.name}:latest" in (image.get("names") or []))

    def directory(self, store: str) -> str:
        return f"{store}/overlay/{self.layer}/diff"

    def mount(self, store: str) -> None:
        """Puts the file system where buildah looks for it, and fills the layer over it."""
        if os.path.ismount(self.directory(store)):
            return
        mount_file(self.file, self.directory(store))
        upper = f"{store}/overlay/{self.hiding}/diff"
        if os.path.lexists(f"{upper}/{self.mark}"):
            os.unlink(f"{upper}/{self.mark}")
            hide_modules(self.directory(store), upper)

    def triggers(self) -> int:
        """Number of its ONBUILD instructions, which the build runs behind FROM."""
        return len(self.config.get("OnBuild") or [])


def anew(name: str) -> str:
    """How a build does not begin with the file system of an environment."""
    if name.startswith("localhost/"):
        copied = f"FROM scratch, then COPY --from={name} / /, and its ENV, USER and WORKDIR again"
        return f"These steps cannot be added to the files of {name}. Begin the Dockerfile with a copy of them: {copied}"
    return "With --pull, the build takes its base from the registry, and writes all layers anew"


class Over:
    """An image of an environment's file system and layers over it, the lowest first."""

    def __init__(self, store: str, image: str, base: Base, layers: Sequence[str]) -> None:
        self.base = base
        self.directories = [f"{store}/overlay/{layer}/diff" for layer in layers]
        self.folder = f"{store}/overlay-images/{image}"
        self.manifest_path = f"{self.folder}/manifest"
        self.numbers = range(1, len(layers) + 2)

    def blob(self, digest: str) -> str:
        """Where containers/storage has what belongs to an image."""
        return f"{self.folder}/={base64.b64encode(digest.encode()).decode()}"

    def mount(self) -> list[int]:
        """Gives the numbers of the lower directories."""
        if self.base.file != Output.path:
            Output.begin_with(self.base.file)
        mount_erofs(Output.path, 1)
        for number, directory in enumerate(self.directories, 2):
            os.makedirs(f"{places.WORK}/lower/{number}")
            mount(["--bind", directory, f"{places.WORK}/lower/{number}"])
        return list(self.numbers)

    def write(self, merged: str, modules: str | None) -> int:
        """Adds the layers, and what was changed over them, to the environment's file system. Gives its size."""
        progress("writing the image", 0.85)
        run(["umount", merged])
        for number in self.numbers:
            run(["umount", f"{places.WORK}/lower/{number}"])
        try:
            for directory in self.directories:
                add_upper(directory, [])
            add_upper(f"{places.WORK}/top/upper", modules_at(modules) if modules else [])
        except Refused as refused:
            if refused.kind != "tool":
                raise
            raise Refused("tool", f"{refused}\n{anew(self.base.names[0])}") from refused
        return Output.end()
