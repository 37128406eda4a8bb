"""
Features of a dev container (containers.dev/implementors/features): fetches them, orders them, and installs them over a base image. They are
hostile, as images are.
"""

import json
import os
import re
import shlex
import shutil
import subprocess

from pyro_image.common import Refused, tar_module
from pyro_image.skopeo import Skopeo

FEATURES = "/workspace/features"
LABEL = "devcontainer.metadata"
MOST_FEATURES = 64
# What of a feature an image's label says. Its variables are in the image itself.
IN_LABEL = (
    "id init privileged capAdd securityOpt entrypoint mounts "
    "onCreateCommand updateContentCommand postCreateCommand postStartCommand postAttachCommand"
).split()


class FeatureRefused(Refused):
    def __init__(self, detail):
        super().__init__("feature", detail)


def plain_id(feature_id):
    """The id without version or digest, which order and dependencies compare."""
    at = feature_id.split("@")[0]
    return re.sub(r":[^:/]*$", "", at).lower()


def source_of(feature_id):
    """The arguments of skopeo. The loopback of the host has another name in here."""
    found = re.match(r"^(localhost|[\w-]+(?:\.[\w-]+)+|[\w.-]+(?=:\d))((?::\d+)?)/(.+)$", feature_id)
    if found is None:
        raise FeatureRefused(f"the feature {feature_id!r} is no reference HOST/REPOSITORY[:TAG] and no ./folder")
    name, port, rest = found[1], found[2], found[3]
    if re.search(r"[:@][^/]*$", rest) is None:
        rest += ":latest"
    if name in ("localhost", "127.0.0.1", "host.pyro.internal"):
        return ["--src-tls-verify=false", f"docker://host.pyro.internal{port or ':443'}/{rest}"]
    return [f"docker://{name}{port}/{rest}"]


def fetch_feature(feature_id, folder):
    """A feature of a registry: an artifact with one layer, which is a tar archive."""
    image = f"{folder}.image"
    failure = Skopeo(["skopeo", "--debug", "copy", "--quiet", *source_of(feature_id), f"dir:{image}"], image).wait()
    if failure is not None:
        raise FeatureRefused(f"the feature {feature_id} cannot be fetched: {failure[1][-800:]}")
    with open(f"{image}/manifest.json", "rb") as file:
        layers = json.loads(file.read(4 << 20)).get("layers") or []
    if len(layers) != 1:
        raise FeatureRefused(f"{feature_id} is no feature: it has {len(layers)} layers")
    with tar_module().open(f"{image}/{layers[0]['digest'].split(':')[1]}") as archive:
        archive.extractall(folder, filter="data")
    shutil.rmtree(image)


class Feature:
    def __init__(self, feature_id, options, folder, meta):
        self.id, self.folder, self.meta = feature_id, folder, meta
        self.plain = plain_id(feature_id)
        known = meta.get("options") or {}
        self.options = {name: one.get("default", "") for name, one in known.items() if isinstance(one, dict)}
        self.options.update(options)
        self.key = (self.plain, json.dumps(self.options, sort_keys=True))
        self.needs = []

    def names(self):
        return {
            self.plain,
            str(self.meta.get("id", "")).lower(),
            *(str(one).lower() for one in self.meta.get("legacyIds") or []),
        }


def load(feature_id, options, local, seed, number):
    folder = f"{FEATURES}/{number}"
    if local is not None:
        shutil.copytree(f"{seed}/{local}", folder, symlinks=True)
    else:
        os.mkdir(folder)
        fetch_feature(feature_id, folder)
    try:
        with open(f"{folder}/devcontainer-feature.json", encoding="utf-8") as file:
            meta = json.loads(without_comments(file.read(1 << 20)))
    except (OSError, ValueError) as error:
        raise FeatureRefused(
            f"the feature {feature_id} has no devcontainer-feature.json that can be read: {error}"
        ) from error
    if not os.path.isfile(f"{folder}/install.sh"):
        raise FeatureRefused(f"the feature {feature_id} has no install.sh")
    return Feature(feature_id, options, folder, meta)


def without_comments(text):
    """JSON with comments, as JSON."""
    pattern = r'("(?:\\.|[^"\\])*")|//[^\n]*|/\*.*?\*/'
    bare = re.sub(pattern, lambda found: found[1] or " ", text, flags=re.S)
    return re.sub(r'("(?:\\.|[^"\\])*")|,(\s*[}\]])', lambda found: found[1] or found[2], bare)


def as_options(given):
    if isinstance(given, str):
        return {"version": given}
    return given if isinstance(given, dict) else {}


def collect(asked, seed):
    """The features of the file, and those that they depend on."""
    os.makedirs(FEATURES)
    known, todo = {}, []
    for one in asked:
        todo.append((one["id"], one["options"], one.get("folder"), None))
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
            for other, given in (feature.meta.get("dependsOn") or {}).items():
                todo.append((other, as_options(given), None, feature))
    return list(known.values())


def in_order(features, first):
    """Rounds of the specification: what needs nothing that is still to come; of these, the first of the person's own order."""
    priority = {plain_id(one): len(first) - index for index, one in enumerate(first)}
    left, done = list(features), []
    while left:

        def is_free(feature):
            after = {plain_id(str(one)) for one in feature.meta.get("installsAfter") or []}
            others = [one for one in left if one is not feature]
            return not any(one in others for one in feature.needs) and not any(after & one.names() for one in others)

        free = [one for one in left if is_free(one)]
        if not free:
            raise FeatureRefused("features depend on each other in a circle: " + ", ".join(one.id for one in left))
        best = max(priority.get(one.plain, 0) for one in free)
        chosen = sorted((one for one in free if priority.get(one.plain, 0) == best), key=lambda one: one.key)
        done += chosen
        left = [one for one in left if one not in chosen]
    return done


def variable(option):
    return re.sub(r"^[\d_]+", "_", re.sub(r"[^\w]", "_", option)).upper()


def text_of(value):
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


def recipe_of(features, base, users):
    """A Dockerfile whose steps are the features. A feature's files are removed in the step that used them."""
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
        for name, value in (feature.meta.get("containerEnv") or {}).items():
            if re.match(r"^\w+$", name) and "\n" not in str(value):
                lines.append(f"ENV {name}=" + '"' + str(value).replace("\\", "\\\\").replace('"', '\\"') + '"')
        lines.append(f"COPY {os.path.basename(feature.folder)} /.pyro-feature")
        lines.append('RUN ["/bin/sh", "/.pyro-feature/pyro-install.sh"]')
    return "\n".join([*lines, f"USER {users['image']}"]) + "\n"


def label_of(config):
    """The label of an image: a list of objects. Settings of editors, which may be long, are left out."""
    try:
        found = json.loads((config.get("Labels") or {}).get(LABEL) or "[]")
    except ValueError:
        return []
    parts = found if isinstance(found, list) else [found]
    return [
        {name: value for name, value in one.items() if name != "customizations"}
        for one in parts
        if isinstance(one, dict)
    ]


def users_of(config, devcontainer):
    """Users of an image's config: the image's own, that of the container, and that of the person's commands."""
    parts = label_of(config)
    last = lambda name: next((one[name] for one in reversed(parts) if isinstance(one.get(name), str)), None)
    image = config.get("User") or "root"
    container = devcontainer.get("containerUser") or last("containerUser") or image
    remote = devcontainer.get("remoteUser") or last("remoteUser") or container
    return {"image": image, "container": container.split(":")[0], "remote": remote.split(":")[0], "commands": remote}


def install_features(store, devcontainer, seed, bud):
    """Installs the features over the image `built`, which then has them. `bud` runs buildah with a Dockerfile and a context."""
    inspected = subprocess.run([*store, "inspect", "--type", "image", "built"], stdout=subprocess.PIPE, check=True)
    config = json.loads(inspected.stdout)["OCIv1"].get("config") or {}
    features = in_order(collect(devcontainer["features"], seed), devcontainer["order"])
    users = users_of(config, devcontainer)
    with open(f"{FEATURES}/Dockerfile", "w", encoding="utf-8") as file:
        file.write(recipe_of(features, "localhost/built", users))
    parts = label_of(config) + [{name: one.meta[name] for name in IN_LABEL if name in one.meta} for one in features]
    bud(
        [*store, "bud", "--pull=never", "--label", f"{LABEL}={json.dumps(parts)}", "--file", f"{FEATURES}/Dockerfile"],
        FEATURES,
    )
