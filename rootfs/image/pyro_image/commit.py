"""Makes a root of an environment and of what a workspace changed. Both are hostile."""

from __future__ import annotations

import json
import os

from pyro_image import places
from pyro_image.common import Refused, progress, run, say
from pyro_image.digests import digest_of
from pyro_image.mounts import merged_root, mount_erofs
from pyro_image.output import write_root
from pyro_image.root import complete, packages_of
from pyro_image.settings import settings
from pyro_image.tree import beneath, remove

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pyro_image.requests import AddedRequest, CommitRequest


def mount_base(number: int) -> None:
    """The file system of the environment, at a numbered lower directory."""
    os.makedirs(f"{places.WORK}/lower/empty")
    mount_erofs(f"{places.WORK}/base.erofs", number)


def unpack_changes(number: int) -> str:
    """The changes are the upper directory of an overlay, with its marks of removed files.

    They become a lower one. Gives the files of /workspace, which are beside them.
    """
    changes = f"{places.WORK}/changes"
    os.mkdir(changes)
    archive = ["tar", "--extract", "--file", f"{places.WORK}/changes.tar", "--directory", changes]
    attributes = ["--same-owner", "--same-permissions", "--numeric-owner", "--acls", "--xattrs", "--xattrs-include=*"]
    run([*archive, *attributes])
    os.unlink(f"{places.WORK}/changes.tar")
    os.rename(f"{changes}/upper", f"{places.WORK}/lower/{number}")
    return f"{changes}/workspace"


def place_workspace(files: str, merged: str, target: str) -> None:
    """Copies the files of /workspace to a directory of the root, in place of its own."""
    path = beneath(merged, target)
    if os.path.lexists(path) and (os.path.islink(path) or not os.path.isdir(path)):
        raise Refused("workspace_as", f"{target} is no directory")
    if path == merged:
        raise Refused("workspace_as", "/ cannot be replaced")
    os.makedirs(path, exist_ok=True)
    for name in os.listdir(path):
        remove(os.path.join(path, name))
    run(["cp", "--archive", "--no-target-directory", files, path])


def say_made(request: CommitRequest | AddedRequest, merged: str, modules: str | None) -> None:
    """Writes the root. No registry knows this image: its digest names the request."""
    config = settings(request["config"], merged, None)
    say(
        _tag="Made",
        digest=digest_of(json.dumps(request, sort_keys=True).encode()),
        sizeBytes=write_root(merged, modules),
        config=config,
        layers=[],
        packages=packages_of(merged),
        label="",
    )


def commit(request: CommitRequest) -> None:
    mount_base(1)
    progress("unpacking the changes", 0.3)
    files = unpack_changes(2)
    merged = merged_root([1, 2])
    target = request.get("workspaceAs")
    if target:
        place_workspace(files, merged, target)
    progress("writing the image", 0.6)
    say_made(request, merged, complete(merged))
