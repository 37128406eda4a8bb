"""Makes a root of an environment and of what a workspace changed. Both are hostile."""

import json
import os

from pyro_image import places
from pyro_image.common import Refused, progress, run, say
from pyro_image.digests import digest_of
from pyro_image.flat import MKFS
from pyro_image.mounts import merged_root, mount_erofs
from pyro_image.output import Output
from pyro_image.root import complete, packages_of
from pyro_image.settings import settings
from pyro_image.tree import beneath, remove


def write_root(merged, modules):
    """Writes the file system of a root, with this kernel's modules at their path. Gives its size."""
    run(["cp", "-a", f"{places.MODULES}/.", f"{merged}/{modules}"])
    run([*MKFS, Output.path, merged])
    return Output.end()


def mount_base(number):
    """The file system of the environment, at a numbered lower directory."""
    mount_erofs(f"{places.WORK}/base.erofs", number)


def unpack_changes(number):
    """The changes are the upper directory of an overlay, with its marks of removed files. They become a lower one, beside /workspace."""
    changes = f"{places.WORK}/changes"
    os.mkdir(changes)
    argv = [
        "tar",
        "--extract",
        "--file",
        f"{places.WORK}/changes.tar",
        "--directory",
        changes,
        "--same-owner",
        "--same-permissions",
        "--numeric-owner",
    ]
    run([*argv, "--acls", "--xattrs", "--xattrs-include=*"])
    os.unlink(f"{places.WORK}/changes.tar")
    os.rename(f"{changes}/upper", f"{places.WORK}/lower/{number}")
    return f"{changes}/workspace"


def place_workspace(files, merged, target):
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


def say_made(request, merged, modules):
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


def commit(request):
    os.makedirs(f"{places.WORK}/lower/empty")
    mount_base(1)
    progress("unpacking the changes", 0.3)
    files = unpack_changes(2)
    merged = merged_root([1, 2])
    if request.get("workspaceAs"):
        place_workspace(files, merged, request["workspaceAs"])
    progress("writing the image", 0.6)
    say_made(request, merged, complete(merged))
