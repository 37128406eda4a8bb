"""Makes one read-only file system of an OCI image, which is hostile."""

from __future__ import annotations

import os

from pyro_image import places
from pyro_image.common import Refused, progress, read_json, say
from pyro_image.digests import digest_of
from pyro_image.flat import Implied, Modules, begun_anew, flatten, keep_modules, write_flat
from pyro_image.layers import DIGEST, assemble, blob_at, layers_of
from pyro_image.mounts import merged_root, mount_erofs
from pyro_image.output import Output, write_root
from pyro_image.refusals import steps_of
from pyro_image.root import ImpliedOfMounts, complete, complete_implied, link, make_directory, packages_of
from pyro_image.settings import settings, volumes
from pyro_image.trust import without_trust

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pyro_image.base import Over
    from pyro_image.layers import Layer
    from pyro_image.requests import Json, Request
    from pyro_image.source import Source

    # A root, the place that the modules get if they are not there, and what writes the root and gives its size.
    type Root = tuple[str, str | None, Callable[[str, str | None], int]]


def unpacked(layers: Sequence[Layer], modules: Modules) -> Root:
    """The root of an image's layers."""
    unknown = flatten(layers, modules)
    if unknown is None:
        numbers = assemble(layers)
        progress("writing the image", 0.82)
        merged = merged_root(numbers)
        complete_implied(merged, merged, ImpliedOfMounts(numbers))
        return merged, complete(merged), write_root
    mount_erofs(Output.path, 1)
    progress("writing the image", 0.82)
    merged = merged_root([1])
    complete_implied(merged, f"{places.WORK}/lower/1", Implied(layers, unknown))
    return merged, complete(merged, keep_modules(merged, modules.touched)), write_flat


def over_base(over: Over) -> Root:
    """The root of a build that begins with an environment of the host."""
    progress("writing the image", 0.82)
    merged = merged_root(over.mount())
    return merged, complete(merged, keep_modules(merged, True)), over.write


def config_of(manifest: Json, over: Over | None, architecture: str) -> Json:
    """The image's configuration."""
    descriptor = manifest.get("config") or {}
    digest = descriptor.get("digest", "")
    if not DIGEST.match(digest):
        raise Refused("image", f"a manifest of the type {manifest.get('mediaType')!r}, which is no image")
    config: Json = read_json(over.blob(digest) if over else blob_at(digest), digest)
    if config.get("os") != "linux" or config.get("architecture") != architecture:
        raise Refused("platform", f"{config.get('os')}/{config.get('architecture')}")
    return config


def make_directories(merged: str, programs: Json, links: Sequence[str]) -> None:
    """Directories that an image names and may lack, and further names of /workspace."""
    working = programs.get("WorkingDir")
    named = [*([("working directory", working)] if working else []), *(("volume", one) for one in volumes(programs))]
    for name, directory in named:
        if directory:
            make_directory(merged, os.path.normpath("/" + directory), name)
    for one in links:
        link(merged, one)


def make_image(request: Request, source: Source) -> None:
    devcontainer = request.get("devcontainer")
    over = source.over
    manifest_path = over.manifest_path if over else f"{places.WORK}/image/manifest.json"
    manifest: Json = read_json(manifest_path)
    config = config_of(manifest, over, request["architecture"])
    layers = layers_of(manifest, config)
    os.makedirs(f"{places.WORK}/lower/empty")
    merged, place, write = over_base(over) if over else unpacked(layers, source.modules or begun_anew())
    programs: Json = config.get("config") or {}
    programs["Env"] = without_trust(programs.get("Env") or [])
    make_directories(merged, programs, devcontainer["links"] if devcontainer else [])
    label = ""
    if devcontainer is not None:
        from pyro_image.labels import label_text

        label = label_text(programs)
    with open(manifest_path, "rb") as file:
        digest = digest_of(file.read())
    used, packages = settings(programs, merged, devcontainer), packages_of(merged)
    say(
        _tag="Made",
        digest=digest,
        sizeBytes=write(merged, place),
        config=used,
        layers=[{"digest": layer["digest"], "sizeBytes": layer.get("size", 0)} for layer, _ in layers],
        packages=packages,
        label=label,
        **source.fields(),
        **steps_of(request),
    )
