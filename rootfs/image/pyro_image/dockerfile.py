"""Builds a Dockerfile with buildah. Its programs are hostile."""

from __future__ import annotations

import os
import subprocess

from pyro_image import places
from pyro_image.bases import Bases
from pyro_image.bud import bud
from pyro_image.common import XATTRS, Refused, progress, run
from pyro_image.present import Present
from pyro_image.tree import remove

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from pyro_image.base import Over
    from pyro_image.requests import BaseMirror, DevContainer, DockerfileRequest

REGISTRIES = "/etc/containers/registries.conf"
# Names of the host's loopback.
LOOPBACK = ("localhost", "127.0.0.1", "host.pyro.internal")


def location(place: str, insecure: bool) -> list[str]:
    return [f'location = "{place}"', f"insecure = {str(insecure).lower()}"]


def registries(loopback: Sequence[int], mirrors: Sequence[BaseMirror]) -> None:
    """Short names are Docker Hub's, as everywhere in Dockerfiles. The host's loopback has another name in here."""
    located = {mirror["registry"]: (mirror["registry"], False) for mirror in mirrors}
    for port in loopback:
        for host in LOOPBACK:
            located[f"{host}:{port}"] = (f"host.pyro.internal:{port}", True)
    lines = ['unqualified-search-registries = ["docker.io"]']
    for prefix, (place, insecure) in located.items():
        lines += ["[[registry]]", f'prefix = "{prefix}"', *location(place, insecure)]
        for mirror in mirrors:
            if mirror["registry"] == prefix:
                lines += ["[[registry.mirror]]", *location(mirror["location"], mirror["plainHttp"])]
    with open(REGISTRIES, "w", encoding="utf-8") as file:
        file.write("\n".join(lines) + "\n")


def take_steps(path: str) -> None:
    """The store of earlier builds of this environment. A damaged one is no reason to fail: the steps run again."""
    progress("unpacking the steps of earlier builds", 0.03)
    store = f"{places.WORK}/storage"
    os.mkdir(store)
    unpack = ["tar", *XATTRS, "-I", "zstd", "-xpf", path, "-C", store]
    unpacked = subprocess.run(unpack, stderr=subprocess.DEVNULL, check=False)
    os.unlink(path)
    images = ["buildah", "--root", store, "--runroot", places.RUN_ROOT, "images", "--all", "--quiet"]
    if unpacked.returncode == 0:
        checked = subprocess.run(images, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
        if checked.returncode == 0:
            return
    remove(store)


def leave_steps(path: str, failed: bool) -> None:
    """The store as one file. Without room for it here, the build is good without it."""
    progress("packing the steps before the failed one" if failed else "packing the steps", 0.36)
    pack = ["tar", *XATTRS, "-I", "zstd -1", "-cf", path, "-C", f"{places.WORK}/storage", "."]
    packed = subprocess.run(pack, stderr=subprocess.DEVNULL, check=False)
    if packed.returncode != 0 and os.path.lexists(path):
        os.unlink(path)


def keep_secrets_off_disk() -> None:
    """buildah copies secrets into the folder of a step's container: they must not reach the disk."""
    containers = f"{places.WORK}/storage/overlay-containers"
    os.makedirs(containers, exist_ok=True)
    run(["mount", "-t", "tmpfs", "-o", "mode=700", "tmpfs", containers])


def take_context(kept: set[str]) -> str:
    """Moves the seed into a folder of its own, without the builder's own files. Gives the folder."""
    seed = f"{places.WORK}/context"
    names = [name for name in os.listdir(places.WORK) if f"{places.WORK}/{name}" not in kept]
    os.mkdir(seed)
    for name in names:
        os.rename(f"{places.WORK}/{name}", f"{seed}/{name}")
    return seed


def file_of(recipe: DockerfileRequest, seed: str) -> str:
    if "text" not in recipe:
        return f"{seed}/{recipe['file']}"
    file = f"{places.WORK}/Dockerfile"
    with open(file, "w", encoding="utf-8") as target:
        target.write(recipe["text"])
    return file


def options_of(recipe: DockerfileRequest) -> list[str]:
    options = [f"--secret=id={name},src={path}" for name, path in (recipe.get("secrets") or {}).items()]
    target = recipe.get("target")
    options += [f"--target={target}"] if target else []
    return options + [f"--build-arg={name}={value}" for name, value in recipe["arguments"].items()]


def build_file(recipe: DockerfileRequest, devcontainer: DevContainer | None) -> tuple[list[int], Over | None]:
    """Builds a Dockerfile whose context is the seed, and leaves the image in `image`.

    Its programs may do what they like with this microVM. Gives the numbers of the mirrors that gave its bases, and the
    image if it begins with a base that the host gave.
    """
    steps = recipe.get("steps") or {}
    steps_from, steps_to = steps.get("from"), steps.get("to")
    present = Present(recipe.get("present") or [])
    seed = take_context({*([steps_from] if steps_from else []), *present.files()})
    bases = Bases(recipe.get("mirrors") or [])
    store = ["buildah", "--root", present.store, "--runroot", places.RUN_ROOT]
    file = file_of(recipe, seed)
    if steps_from:
        take_steps(steps_from)
    if recipe.get("secrets"):
        keep_secrets_off_disk()
    present.prepare()
    log = ["--log-level", "debug"] if bases.left else []
    argv = [*store, *log, "bud", "--layers", *present.options(), "--retry", "1", "--file", file, *options_of(recipe)]
    failed = True
    try:
        while True:
            registries(recipe["loopbackPorts"], list(bases.left.values()))
            try:
                bud(argv, os.path.join(seed, recipe.get("context", "")), bases, present)
                break
            except Refused as refused:
                # The steps before the base are kept.
                if not bases.without_broken(refused):
                    raise
        if devcontainer is not None and devcontainer.get("features"):
            from pyro_image.features import install_features

            install_features(store, devcontainer, seed, lambda argv, context: bud(argv, context, None, present))
        failed = False
    finally:
        present.leave()
        # Whoever mends the step that failed waits for that step alone.
        if steps_to:
            leave_steps(steps_to, failed)
    over = present.over()
    if over is None:
        progress("taking the layers", 0.37)
        run([*store, "push", "--quiet", "--disable-compression", "built", f"dir:{places.WORK}/image"])
    return sorted(bases.gave), over
