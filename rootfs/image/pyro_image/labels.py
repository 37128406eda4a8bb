"""Reads the label of an image that says how a dev container is used. The image is hostile."""

from __future__ import annotations

import json

from pyro_image.common import Refused

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pyro_image.requests import DevContainer, Json

LABEL = "devcontainer.metadata"
MOST_LABEL = 65_536


def label_of(config: Json) -> list[Json]:
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


def label_text(config: Json) -> str:
    """The label as the host keeps it."""
    text = json.dumps(label_of(config))
    if len(text) > MOST_LABEL:
        raise Refused("image", f"a label {LABEL} of more than {MOST_LABEL} characters")
    return text


def users_of(config: Json, devcontainer: DevContainer) -> dict[str, str]:
    """Users of an image's config: the image's own, that of the container, and that of the person's commands."""
    parts = label_of(config)

    def last(name: str) -> str | None:
        return next((one[name] for one in reversed(parts) if isinstance(one.get(name), str)), None)

    image = config.get("User") or "root"
    container = devcontainer.get("containerUser") or last("containerUser") or image
    remote = devcontainer.get("remoteUser") or last("remoteUser") or container
    return {
        "image": image,
        "container": container.split(":")[0],
        "remote": remote.split(":")[0],
        "commands": remote,
    }
