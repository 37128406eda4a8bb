"""Reads what an image says of its programs. The image is hostile."""

from __future__ import annotations

from pyro_image.users import account_of, user_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from pyro_image.requests import DevContainer, Json

# What people read of labels. Tools keep documents in longer ones.
MOST_LABELS = 64
MOST_LABEL_NAME = 256
MOST_LABEL_VALUE = 1024
MOST_VOLUMES = 64
NS_PER_MS = 1_000_000
MOST_MS = 86_400_000
MOST_RETRIES = 1_000
TIMES = ("Interval", "Timeout", "StartPeriod", "StartInterval")
# Parts of the configuration that the host takes as they are.
PLAIN = (("WorkingDir", "workingDirectory"), ("StopSignal", "stopSignal"), ("Shell", "shell"))


def texts(value: object) -> list[str]:
    return [one for one in value if isinstance(one, str)] if isinstance(value, list) else []


def labels(config: Json) -> Json:
    """The short labels, by name, and how many others there are."""
    given = config.get("Labels") or {}
    short = [
        (name, value)
        for name, value in sorted(given.items())
        if isinstance(value, str) and len(name) <= MOST_LABEL_NAME and len(value) <= MOST_LABEL_VALUE
    ][:MOST_LABELS]
    left = len(given) - len(short)
    return {**({"labels": dict(short)} if short else {}), **({"labelsLeftOut": left} if left else {})}


def health_check(config: Json) -> Json:
    """HEALTHCHECK in ms. `NONE`, and a check without a command, is no check."""
    given = config.get("Healthcheck") or {}
    test = texts(given.get("Test"))
    if len(test) < 2 or test[0] not in ("CMD", "CMD-SHELL"):
        return {}
    times = {f"{name[0].lower()}{name[1:]}Ms": given.get(name) for name in TIMES}
    check: dict[str, Any] = {
        name: min(value // NS_PER_MS, MOST_MS) for name, value in times.items() if isinstance(value, int) and value > 0
    }
    retries = given.get("Retries")
    if isinstance(retries, int) and retries > 0:
        check["retries"] = min(retries, MOST_RETRIES)
    return {"healthCheck": {"test": test, **check}}


def volumes(config: Json) -> list[str]:
    return sorted(config.get("Volumes") or {})[:MOST_VOLUMES]


def user_settings(config: Json, root: str, devcontainer: DevContainer | None) -> dict[str, str]:
    """The user of the image's programs, or of a dev container's commands."""
    user = config.get("User")
    if devcontainer is not None:
        from pyro_image.labels import users_of

        user = users_of(config, devcontainer)["commands"]
        # An image without /etc/passwd has root, too.
        user = None if user == "root" else user
    if not user:
        return {}
    account = account_of(user, root)
    return {"user": user_of(user, root), **({} if account is None else {"account": account})}


def settings(config: Json, root: str, devcontainer: DevContainer | None) -> Json:
    """The parts of the configuration that the host uses."""
    return {
        "env": config.get("Env") or [],
        "entrypoint": config.get("Entrypoint") or [],
        "command": config.get("Cmd") or [],
        "exposedPorts": sorted(config.get("ExposedPorts") or {}),
        **labels(config),
        **health_check(config),
        **user_settings(config, root, devcontainer),
        **{name: config[given] for given, name in PLAIN if config.get(given)},
        **({"onBuild": texts(config["OnBuild"])} if config.get("OnBuild") else {}),
        **({"volumes": volumes(config)} if config.get("Volumes") else {}),
    }
