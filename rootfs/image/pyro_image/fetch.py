"""Fetches an image of a registry or an archive. The registry is hostile."""

from __future__ import annotations

import json
import os
import re
import subprocess
import time

from pyro_image import places
from pyro_image.common import MOST_JSON_BYTES, Refused, import_ahead, progress, run
from pyro_image.skopeo import Skopeo

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from pyro_image.requests import Login, Request

# Seconds between the attempts.
PAUSES = (1, 3, 9)


def platforms_of(source: str, plain_http: bool) -> str:
    """The platforms of an index, for a person to read."""
    argv = ["skopeo", "inspect", "--raw", *(["--tls-verify=false"] if plain_http else []), source]
    try:
        done = subprocess.run(
            argv, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=Skopeo.stall_seconds, check=False
        )
        entries = json.loads(done.stdout[:MOST_JSON_BYTES]).get("manifests") or []
        named = [entry.get("platform") or {} for entry in entries]
        texts = ["/".join(str(one[key]) for key in ("os", "architecture", "variant") if one.get(key)) for one in named]
    except (subprocess.TimeoutExpired, ValueError, AttributeError, TypeError):
        texts = []
    return ", ".join(sorted({text for text in texts if text and "unknown" not in text})[:20])


def is_passing(failure: tuple[str, str], reached: bool, source: str) -> bool:
    """Whether the next attempt may succeed.

    A registry that was never there, and a host that it sends the builder to, fail again.
    """
    kind, reason = failure
    if kind not in ("unreachable", "timeout", "server"):
        return False
    host = re.search(r'"https?://([^/"?\s]+)', reason)
    if host and not source.startswith(f"docker://{host[1]}/"):
        return False
    return reached or not re.search(r"connection refused|no such host|no route", reason)


def attempt(source: str, architecture: str, plain_http: bool) -> tuple[tuple[str, str], bool] | None:
    """Copies manifest, configuration and layers to `image`, and checks their digests.

    The failure, and whether the manifest came; or None.
    """
    target = f"{places.WORK}/image"
    run(["rm", "-rf", target])
    platform = ["--override-os", "linux", "--override-arch", architecture]
    tls = ["--src-tls-verify=false"] if plain_http else []
    skopeo = Skopeo(
        ["skopeo", "--debug", *platform, "copy", "--preserve-digests", *tls, source, f"dir:{target}"], target
    )
    import_ahead()
    failure = skopeo.wait()
    return None if failure is None else (failure, skopeo.reached)


def fetch(source: str, request: Request) -> int | None:
    """Fetches the image of its registry, or of a mirror, whose number this gives."""
    architecture = request["architecture"]
    failures: list[str] = []
    for number, mirror in enumerate(request.get("mirrors") or []):
        progress(f"fetching the image from the mirror {mirror['name']}", 0.02)
        try:
            fetch_from(mirror["source"], architecture, mirror["plainHttp"])
            return number
        except Refused as refused:
            # A mirror is no authority: what it lacks, breaks or forges is asked of the next one.
            failures.append(f"the mirror {mirror['name']} ({refused.kind}: {str(refused)[:300]})")
            progress(f"the mirror {mirror['name']} failed: {refused.kind}", 0.02)
    progress("fetching the image", 0.02)
    try:
        fetch_from(source, architecture, request.get("plainHttp", False))
    except Refused as refused:
        raise Refused(refused.kind, "; before that failed ".join([str(refused), *failures])) from refused
    return None


def fetch_from(source: str, architecture: str, plain_http: bool) -> None:
    """Fetches the image of one place. Failures of the network pass: a registry that starts again may give the rest."""
    reached = False
    for number in range(len(PAUSES) + 1):
        ended = attempt(source, architecture, plain_http)
        if ended is None:
            return
        (kind, reason), now = ended
        reached = reached or now
        most = len(PAUSES) if reached else 1
        if number >= most or not is_passing((kind, reason), reached, source):
            raise Refused(kind, (kind == "platform" and platforms_of(source, plain_http)) or reason)
        progress(f"the registry failed; attempt {number + 2} of {most + 1} follows", 0.02)
        time.sleep(PAUSES[number])


def log_in(logins: Sequence[Login] | None) -> None:
    """Writes the logins for skopeo and buildah.

    The passwords are placeholders, for which the host puts the values into requests that pull.
    """
    if not logins:
        return
    import base64

    texts = {one["registry"]: f"{one['user']}:{os.environ[one['variable']]}" for one in logins}
    auths = {registry: {"auth": base64.b64encode(text.encode()).decode()} for registry, text in texts.items()}
    os.environ["REGISTRY_AUTH_FILE"] = "/run/pyro-registries.json"
    with open(os.environ["REGISTRY_AUTH_FILE"], "w", encoding="utf-8") as file:
        json.dump({"auths": auths}, file)
