"""Builds a Dockerfile with buildah. Its programs are hostile."""

import os
import re
import subprocess

from pyro_image import places
from pyro_image.bases import Bases
from pyro_image.common import XATTRS, Refused, output, progress, run
from pyro_image.present import RUN_ROOT, Present
from pyro_image.pulls import Pulls
from pyro_image.tree import remove
from pyro_image.trust import FIRST_TRUST_STEP, trust


def registries(loopback, mirrors):
    """Short names are Docker Hub's, as everywhere in Dockerfiles. The loopback of the host has another name in here."""
    located = {mirror["registry"]: (mirror["registry"], False) for mirror in mirrors}
    for port in loopback:
        for host in ("localhost", "127.0.0.1", "host.pyro.internal"):
            located[f"{host}:{port}"] = (f"host.pyro.internal:{port}", True)
    lines = ['unqualified-search-registries = ["docker.io"]']
    for prefix, (location, insecure) in located.items():
        lines += [
            "[[registry]]",
            f'prefix = "{prefix}"',
            f'location = "{location}"',
            f"insecure = {str(insecure).lower()}",
        ]
        for mirror in mirrors:
            if mirror["registry"] == prefix:
                lines += [
                    "[[registry.mirror]]",
                    f'location = "{mirror["location"]}"',
                    f"insecure = {str(mirror['plainHttp']).lower()}",
                ]
    with open("/etc/containers/registries.conf", "w", encoding="utf-8") as file:
        file.write("\n".join(lines) + "\n")


def take_steps(path):
    """The store of earlier builds of this environment. A damaged one is no reason to fail: the steps run again."""
    progress("unpacking the steps of earlier builds", 0.03)
    store = f"{places.WORK}/storage"
    os.mkdir(store)
    unpacked = subprocess.run(["tar", *XATTRS, "-I", "zstd", "-xpf", path, "-C", store], stderr=subprocess.DEVNULL)
    os.unlink(path)
    checked = (
        unpacked.returncode == 0
        and subprocess.run(
            ["buildah", "--root", store, "--runroot", RUN_ROOT, "images", "--all", "--quiet"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        ).returncode
        == 0
    )
    if not checked:
        remove(store)


def leave_steps(path):
    """The store as one file. Without room for it here, the build is good without it."""
    progress("packing the steps", 0.36)
    packed = subprocess.run(
        ["tar", *XATTRS, "-I", "zstd -1", "-cf", path, "-C", f"{places.WORK}/storage", "."], stderr=subprocess.DEVNULL
    )
    if packed.returncode != 0 and os.path.lexists(path):
        os.unlink(path)


def build_file(recipe, devcontainer):
    """Builds a Dockerfile whose context is the seed, and leaves the image in `image`. Its programs may do what they like with this microVM. Gives the
    numbers of the mirrors that gave its bases, and the image if it begins with a base that the host gave."""
    seed = f"{places.WORK}/context"
    steps = recipe.get("steps") or {}
    secrets = recipe.get("secrets") or {}
    present = Present(recipe.get("present") or [])
    beside = {steps.get("from"), *present.files()}
    names = [name for name in os.listdir(places.WORK) if f"{places.WORK}/{name}" not in beside]
    os.mkdir(seed)
    for name in names:
        os.rename(f"{places.WORK}/{name}", f"{seed}/{name}")
    bases = Bases(recipe.get("mirrors") or [])
    store = ["buildah", "--root", present.store, "--runroot", RUN_ROOT]
    file = f"{seed}/{recipe.get('file')}"
    if "text" in recipe:
        file = f"{places.WORK}/Dockerfile"
        with open(file, "w", encoding="utf-8") as target:
            target.write(recipe["text"])
    if steps.get("from"):
        take_steps(steps["from"])
    if secrets:
        # buildah copies secrets into the folder of a step's container: they must not reach the disk.
        os.makedirs(f"{places.WORK}/storage/overlay-containers", exist_ok=True)
        run(["mount", "-t", "tmpfs", "-o", "mode=700", "tmpfs", f"{places.WORK}/storage/overlay-containers"])
    present.prepare()
    argv = [
        *store,
        *(["--log-level", "debug"] if bases.left else []),
        "bud",
        "--layers",
        *present.options(),
        "--retry",
        "1",
        "--file",
        file,
    ]
    for name, path in secrets.items():
        argv += ["--secret", f"id={name},src={path}"]
    if recipe.get("target"):
        argv += ["--target", recipe["target"]]
    for name, value in recipe["arguments"].items():
        argv += ["--build-arg", f"{name}={value}"]
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
        if devcontainer.get("features"):
            from pyro_image.features import install_features

            install_features(store, devcontainer, seed, lambda argv, context: bud(argv, context, None, present))
    finally:
        present.leave()
        # Whoever mends the step that failed waits for that step alone.
        if steps.get("to"):
            leave_steps(steps["to"])
    over = present.over()
    if over:
        return sorted(bases.gave), over
    progress("taking the layers", 0.37)
    run([*store, "push", "--quiet", "--disable-compression", "built", f"dir:{places.WORK}/image"])
    return sorted(bases.gave), None


# Of a Dockerfile with several stages, a step names its stage.
STEP = re.compile(r"(?:\[(?P<stage>\d+)/(?P<stages>\d+)\] )?STEP (?P<number>\d+)/(?P<count>\d+): (?P<words>.*)")
MOST_LAST_LINES = 20
MOST_LAST_WORDS = 1900


def bud(argv, context, bases=None, present=None):
    """Runs buildah's build, which leaves the image as `built`. `bases` reads its log."""
    if present:
        present.mount()
    trusted = trust()
    # The format of OCI has no HEALTHCHECK, SHELL and ONBUILD.
    argv = [
        *argv,
        *trusted,
        "--isolation",
        "chroot",
        "--network",
        "host",
        "--format",
        "docker",
        "--tag",
        "built",
        context,
    ]
    child = subprocess.Popen(
        argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, start_new_session=True
    )
    pulls = Pulls(child)
    step_line = ""
    last = []
    for line in child.stdout:
        text = line.decode("utf-8", "replace").rstrip()[:500]
        if present:
            text = present.shown(text)
        if bases is not None and bases.is_log(text):
            continue
        pulls.see(text)
        step = STEP.match(text)
        if not step:
            last = [*last[1 - MOST_LAST_LINES :], text]
            if step_line and text:
                output(text)
            continue
        if step["words"].startswith(FIRST_TRUST_STEP):
            continue
        # buildah counts the variables of the trust as a step behind FROM.
        number, count = int(step["number"]), int(step["count"])
        if trusted:
            number, count = max(number - 1, 1), count - 1
        if bases is not None:
            bases.complete()
        step_line, last = f"STEP {number}/{count}: {step['words']}", []
        stage, stages = int(step["stage"] or 1), int(step["stages"] or 1)
        of = f"stage {stage} of {stages}, " if stages > 1 else ""
        progress(
            f"{of}step {number} of {count}: {step['words'][:120]}",
            0.05 + 0.3 * (stage - 1 + number / max(count, 1)) / max(stages, 1),
        )
    code = child.wait()
    pulls.demand()
    if code != 0:
        # The end of the output has the reason.
        words = "\n".join(last)[-(MOST_LAST_WORDS - len(step_line)) :]
        raise Refused("dockerfile", f"the build failed:\n{step_line}\n{words}")
    if bases is not None:
        bases.complete()
