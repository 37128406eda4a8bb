"""Bases of a Dockerfile that the host has as environments. Their file systems are hostile, as the Dockerfile is."""

from __future__ import annotations

import json
import os

from pyro_image import places
from pyro_image.common import MOST_LAYERS, read_json, run

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from pyro_image.base import Base, Over
    from pyro_image.requests import PresentBase


class Present:
    """The bases of one Dockerfile that the host gave."""

    def __init__(self, given: Sequence[PresentBase]) -> None:
        self.store = f"{places.WORK}/storage"
        self.bases: list[Base] = []
        if given:
            from pyro_image.base import Base

            self.bases = [Base(number, one) for number, one in enumerate(given)]

    def files(self) -> list[str]:
        return [base.file for base in self.bases]

    def prepare(self) -> None:
        """Puts the bases into the store. Names that earlier builds left there are no answer to what a tag is today."""
        if not self.bases:
            return
        index = f"{self.store}/overlay-images/images.json"
        if os.path.lexists(index):
            images = read_json(index)
            for image in images:
                image["names"] = []
            with open(index, "w", encoding="utf-8") as file:
                json.dump(images, file)
        os.makedirs(f"{places.WORK}/lower", exist_ok=True)
        for base in self.bases:
            base.make(self.store)

    def mount(self) -> None:
        """A buildah that ends takes the file systems away with its own mounts."""
        for base in self.bases:
            base.mount(self.store)

    def triggers(self, words: str) -> int | None:
        """Number of ONBUILD instructions of the base that a step begins with. None: the base is not here."""
        found = [base for base in self.bases if set(words.split()) & set(base.names)]
        return sum(base.triggers() for base in found) if found else None

    def options(self) -> list[str]:
        """What buildah is told: which image a name of the Dockerfile means."""
        if not self.bases:
            return ["--pull=always"]
        contexts = [f"--build-context={name}=docker://{base.name}:latest" for base in self.bases for name in base.names]
        return ["--pull=missing", *contexts]

    def shown(self, line: str) -> str:
        """A line of buildah's with the names of the Dockerfile."""
        for base in self.bases:
            line = line.replace(f"{base.name}:latest", base.names[0])
        return line

    def leave(self) -> None:
        """The store without the bases, as it is kept."""
        for base in self.bases:
            if os.path.ismount(base.directory(self.store)):
                run(["umount", base.directory(self.store)])

    def over(self) -> Over | None:
        """The built image, if it begins with one of the bases."""
        if not self.bases:
            return None
        images = read_json(f"{self.store}/overlay-images/images.json")
        image = next(one for one in images if "localhost/built:latest" in (one.get("names") or []))
        layers = read_json(f"{self.store}/overlay-layers/layers.json")
        parents = {one["id"]: one.get("parent") for one in layers}
        chain: list[str] = []
        layer = image.get("layer")
        while layer and len(chain) <= MOST_LAYERS:
            chain.append(layer)
            layer = parents.get(layer)
        base = next((base for base in self.bases if chain and base.layer == chain[-1]), None)
        if base is None:
            return None
        from pyro_image.base import Over

        return Over(self.store, image["id"], base, [layer for layer in chain[-2::-1] if layer != base.hiding])
