"""Reads what an image says of its programs. The image is hostile."""

from pyro_image.users import account_of, user_of

# What people read of labels. Tools keep documents in longer ones.
MOST_LABELS = 64
MOST_LABEL_NAME = 256
MOST_LABEL_VALUE = 1024
MOST_VOLUMES = 64
NS_PER_MS = 1_000_000
MOST_MS = 86_400_000
MOST_RETRIES = 1_000
TIMES = ("Interval", "Timeout", "StartPeriod", "StartInterval")


def texts(value):
    return [one for one in value if isinstance(one, str)] if isinstance(value, list) else []


def labels(config):
    """The short labels, by name, and how many others there are."""
    given = config.get("Labels") or {}
    short = [
        (name, value)
        for name, value in sorted(given.items())
        if isinstance(value, str) and len(name) <= MOST_LABEL_NAME and len(value) <= MOST_LABEL_VALUE
    ][:MOST_LABELS]
    left = len(given) - len(short)
    return {**({"labels": dict(short)} if short else {}), **({"labelsLeftOut": left} if left else {})}


def health_check(config):
    """HEALTHCHECK in ms. `NONE`, and a check without a command, is no check."""
    given = config.get("Healthcheck") or {}
    test = texts(given.get("Test"))
    if len(test) < 2 or test[0] not in ("CMD", "CMD-SHELL"):
        return {}
    times = {name: given.get(name) for name in TIMES}
    check = {
        f"{name[0].lower()}{name[1:]}Ms": min(value // NS_PER_MS, MOST_MS)
        for name, value in times.items()
        if isinstance(value, int) and value > 0
    }
    retries = given.get("Retries")
    if isinstance(retries, int) and retries > 0:
        check["retries"] = min(retries, MOST_RETRIES)
    return {"healthCheck": {"test": test, **check}}


def volumes(config):
    return sorted(config.get("Volumes") or {})[:MOST_VOLUMES]


def settings(config, root, devcontainer):
    """The parts of the configuration that the host uses."""
    used = {
        "env": config.get("Env") or [],
        "entrypoint": config.get("Entrypoint") or [],
        "command": config.get("Cmd") or [],
        "exposedPorts": sorted(config.get("ExposedPorts") or {}),
        **labels(config),
        **health_check(config),
    }
    user = config.get("User")
    if devcontainer is not None:
        from pyro_image.features import users_of

        user = users_of(config, devcontainer)["commands"]
        # An image without /etc/passwd has root, too.
        user = None if user == "root" else user
    if user:
        used["user"] = user_of(user, root)
        account = account_of(user, root)
        if account is not None:
            used["account"] = account
    if config.get("WorkingDir"):
        used["workingDirectory"] = config["WorkingDir"]
    if config.get("StopSignal"):
        used["stopSignal"] = config["StopSignal"]
    if config.get("Shell"):
        used["shell"] = config["Shell"]
    if config.get("OnBuild"):
        used["onBuild"] = texts(config["OnBuild"])
    if config.get("Volumes"):
        used["volumes"] = volumes(config)
    return used
