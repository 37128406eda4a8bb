"""Features of a dev container (containers.dev/implementors/features).

Fetches them, orders them, and installs them over a base image. They are hostile, as images are.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import tarfile

from pyro_image import places
from pyro_image.common import MOST_JSON_BYTES, Refused
from pyro_image.labels import LABEL, label_of, users_of
from pyro_image.skopeo import Skopeo

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from pyro_image.requests import DevContainer, FeatureRequest, Json

MOST_FEATURES = 64
MOST_META = 1 << 20
MOST_REASON = 800
# What of a feature an image's label says. Its variables are in the image itself.
IN_LABEL = (
    "id",
    "init",
    "privileged",
    "capAdd",
    "securityOpt",
    "entrypoint",
    "mounts",
    "onCreateCommand",
    "updateContentCommand",
    "postCreateCommand",
    "postStartCommand",
    "postAttachCommand",
)
LOOPBACK = ("localhost", "127.0.0.1", "host.pyro.internal")
REFERENCE = re.compile(r"^(localhost|[\w-]+(?:\.[\w-]+)+|[\w.-]+(?=:\d))((?::\d+)?)/(.+)$")


class FeatureRefused(Refused):
    def __init__(self, detail: str) -> None:
        super().__init__("feature", detail)


def plain_id(feature_id: str) -> str:
    """The id without version or digest, which order and dependencies compare."""
    at = feature_id.split("@", maxsplit=1)[0]
    return re.sub(r":[^:/]*$", "", at).lower()


def source_of(feature_id: str) -> list[str]:
    """The arguments of skopeo. The loopback of the host has another name in here."""
    found = REFERENCE.match(feature_id)
    if found is None:
        raise FeatureRefused(f"the feature {feature_id!r} is no reference HOST/REPOSITORY[:TAG] and no ./folder")
    name, port, rest = found[1], found[2], found[3]
    if re.search(r"[:@][^/]*$", rest) is None:
        rest += ":latest"
    if name in LOOPBACK:
        return ["--src-tls-verify=false", f"docker://host.pyro.internal{port or ':443'}/{rest}"]
    return [f"docker://{name}{port}/{rest}"]


def fetch_feature(feature_id: str, folder: str) -> None:
    """A feature of a registry: an artifact with one layer, which is a tar archive."""
    image = f"{folder}.image"
    failure = Skopeo(["skopeo", "--debug", "copy", "--quiet", *source_of(feature_id), f"dir:{image}"], image).wait()
    if failure is not None:
        raise FeatureRefused(f"the feature {feature_id} cannot be fetched: {failure[1][-MOST_REASON:]}")
    with open(f"{image}/manifest.json", "rb") as file:
        layers = json.loads(file.read(MOST_JSON_BYTES)).get("layers") or []
    if len(layers) != 1:
        raise FeatureRefused(f"{feature_id} is no feature: it has {len(layers)} layers")
    with tarfile.open(f"{image}/{layers[0]['digest'].split(':')[1]}") as archive:
        archive.extractall(folder, filter="data")
    shutil.rmtree(image)


class Feature:
    def __init__(self, feature_id: str, options: dict[str, Any], folder: str, meta: Json) -> None:
        self.id, self.folder, self.meta = feature_id, folder, meta
        self.plain = plain_id(feature_id)
        known = meta.get("options") or {}
        self.options: dict[str, Any] = {
            name: one.get("default", "") for name, one in known.items() if isinstance(one, dict)
        }
        self.options.update(options)
        self.key = (self.plain, json.dumps(self.options, sort_keys=True))
        self.needs: list[Feature] = []

    def names(self) -> set[str]:
        return {
            self.plain,
            str(self.meta.get("id", "")).lower(),
            *(str(one).lower() for one in self.meta.get("legacyIds") or []),
        }


def features_folder() -> str:
    return f"{places.WORK}/features"


def load(feature_id: str, options: dict[str, Any], local: str | None, seed: str, number: int) -> Feature:
    folder = f"{features_folder()}/{number}"
    if local is not None:
        shutil.copytree(f"{seed}/{local}", folder, symlinks=True)
    else:
        os.mkdir(folder)
        fetch_feature(feature_id, folder)
    try:
        with open(f"{folder}/devcontainer-feature.json", encoding="utf-8") as file:
            meta = json.loads(without_comments(file.read(MOST_META)))
    except (OSError, ValueError) as error:
        raise FeatureRefused(
            f"the feature {feature_id} has no devcontainer-feature.json that can be read: {error}"
        ) from error
    if not os.path.isfile(f"{folder}/install.sh"):
        raise FeatureRefused(f"the feature {feature_id} has no install.sh")
    return Feature(feature_id, options, folder, meta)


def without_comments(text: str) -> str:
    """JSON with comments, as JSON."""
    pattern = r'("(?:\\.|[^"\\])*")|//[^\n]*|/\*.*?\*/'
    bare = re.sub(pattern, lambda found: found[1] or " ", text, flags=re.S)
    return re.sub(r'("(?:\\.|[^"\\])*")|,(\s*[}\]])', lambda found: found[1] or found[2], bare)


def as_options(given: object) -> dict[str, Any]:
    if isinstance(given, str):
        return {"version": given}
    return given if isinstance(given, dict) else {}


def collect(asked: Sequence[FeatureRequest], seed: str) -> list[Feature]:
    """The features of the file, and those that they depend on."""
    os.makedirs(features_folder())
    known: dict[tuple[str, str], Feature] = {}
    todo: list[tuple[str, dict[str, Any], str | None, Feature | None]] = [
        (one["id"], one["options"], one.get("folder"), None) for one in asked
    ]
    number = 0
    while todo:
        feature_id, options, local, dependent = todo.pop(0)
        number += 1
        if number > MOST_FEATURES:
            raise FeatureRefused(f"more than {MOST_FEATURES} features")
        feature = load(feature_id, options, local, seed, number)
        present = known.setdefault(feature.key, feature)
        if dependent is not None:
            dependent.needs.append(present)
        if present is feature:
            needed = (feature.meta.get("dependsOn") or {}).items()
            todo += [(other, as_options(given), None, feature) for other, given in needed]
    return list(known.values())


def is_free(feature: Feature, left: Sequence[Feature]) -> bool:
    """Whether it needs nothing of what is still to come."""
    after = {plain_id(str(one)) for one in feature.meta.get("installsAfter") or []}
    others = [one for one in left if one is not feature]
    return not any(one in others for one in feature.needs) and not any(after & one.names() for one in others)


def in_order(features: Sequence[Feature], first: Sequence[str]) -> list[Feature]:
    """Rounds of the specification: what needs nothing that is still to come; then the person's order."""
    priority = {plain_id(one): len(first) - index for index, one in enumerate(first)}
    left, done = list(features), []
    while left:
        free = [one for one in left if is_free(one, left)]
        if not free:
            raise FeatureRefused("features depend on each other in a circle: " + ", ".join(one.id for one in left))
        best = max(priority.get(one.plain, 0) for one in free)
        chosen = sorted((one for one in free if priority.get(one.plain, 0) == best), key=lambda one: one.key)
        done += chosen
        left = [one for one in left if one not in chosen]
    return done


def variable(option: str) -> str:
    return re.sub(r"^[\d_]+", "_", re.sub(r"[^\w]", "_", option)).upper()


def text_of(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


HOME_OF = (
    '$( (command -v getent >/dev/null 2>&1 && getent passwd "$1" || grep "^$1:" /etc/passwd || true) | cut -d: -f6)'
)

INSTALL = """set -e
home() {{ echo "{home}"; }}
export _CONTAINER_USER={container} _REMOTE_USER={remote}
_CONTAINER_USER_HOME=$(home "$_CONTAINER_USER")
_REMOTE_USER_HOME=$(home "$_REMOTE_USER")
export _CONTAINER_USER_HOME _REMOTE_USER_HOME
{options}
cd /.pyro-feature
chmod +x install.sh
./install.sh
cd /
rm -rf /.pyro-feature
"""


def steps_of(feature: Feature) -> list[str]:
    """The steps that install a feature. Its files are removed in the step that used them."""
    lines = []
    for name, value in (feature.meta.get("containerEnv") or {}).items():
        if re.match(r"^\w+$", name) and "\n" not in str(value):
            lines.append(f"ENV {name}=" + '"' + str(value).replace("\\", "\\\\").replace('"', '\\"') + '"')
    lines.append(f"COPY {os.path.basename(feature.folder)} /.pyro-feature")
    return [*lines, 'RUN ["/bin/sh", "/.pyro-feature/pyro-install.sh"]']


def recipe_of(features: Sequence[Feature], base: str, users: dict[str, str]) -> str:
    """A Dockerfile whose steps are the features."""
    lines = [f"FROM {base}", "USER root"]
    for feature in features:
        options = "\n".join(
            f"export {variable(name)}={shlex.quote(text_of(value))}" for name, value in feature.options.items()
        )
        script = INSTALL.format(
            home=HOME_OF,
            container=shlex.quote(users["container"]),
            remote=shlex.quote(users["remote"]),
            options=options,
        )
        with open(f"{feature.folder}/pyro-install.sh", "w", encoding="utf-8") as file:
            file.write(script)
        lines += steps_of(feature)
    return "\n".join([*lines, f"USER {users['image']}"]) + "\n"


def install_features(
    store: Sequence[str], devcontainer: DevContainer, seed: str, bud: Callable[[list[str], str], None]
) -> None:
    """Installs the features over the image `built`, which then has them.

    `bud` runs buildah with a Dockerfile and a context.
    """
    inspected = subprocess.run([*store, "inspect", "--type", "image", "built"], stdout=subprocess.PIPE, check=True)
    config: Json = json.loads(inspected.stdout)["OCIv1"].get("config") or {}
    features = in_order(collect(devcontainer["features"], seed), devcontainer["order"])
    folder = features_folder()
    file = f"{folder}/Dockerfile"
    with open(file, "w", encoding="utf-8") as target:
        target.write(recipe_of(features, "localhost/built", users_of(config, devcontainer)))
    parts = label_of(config) + [{name: one.meta[name] for name in IN_LABEL if name in one.meta} for one in features]
    bud([*store, "bud", "--pull=never", "--label", f"{LABEL}={json.dumps(parts)}", "--file", file], folder)
