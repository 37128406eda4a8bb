"""Makes one read-only file system of an OCI image, which is hostile. Its request is `BuilderRequest` in src/lib/environment/model/image-builder.ts."""

import json
import os
import re

from pyro_image import places
from pyro_image.commit import write_root
from pyro_image.common import MOST_LABEL, Refused, progress, read_json, say, tar_module
from pyro_image.digests import digest_of
from pyro_image.fetch import fetch, log_in
from pyro_image.flat import Implied, Modules, begin, flatten, keep_modules, write_flat
from pyro_image.layers import assemble, layers_of
from pyro_image.mounts import merged_root, mount_erofs
from pyro_image.output import Output
from pyro_image.root import ImpliedOfMounts, complete, complete_implied, link, make_directory, packages_of
from pyro_image.settings import settings, volumes
from pyro_image.skopeo import Skopeo
from pyro_image.trust import without_trust


def steps_of(request):
    path = ((request.get("dockerfile") or {}).get("steps") or {}).get("to")
    return {"stepsBytes": os.stat(path).st_size} if path and os.path.lexists(path) else {}


def blob_at(digest):
    """Where skopeo and buildah leave what belongs to an image."""
    return f"{places.WORK}/image/{digest.split(':')[1]}"


def begun_anew():
    """An image that begins with none of the environments that the host gave."""
    if Output.has_base:
        Output.clear()
    return Modules()


def unpacked(layers, modules):
    """The root of an image's layers, the place that the modules get if they are not there, and what writes the root."""
    unknown = flatten(layers, modules)
    is_flat = unknown is not None
    if is_flat:
        mount_erofs(Output.path, 1)
    numbers = [1] if is_flat else assemble(layers)
    progress("writing the image", 0.82)
    merged = merged_root(numbers)
    complete_implied(
        merged,
        f"{places.WORK}/lower/1" if is_flat else merged,
        Implied(layers, unknown) if is_flat else ImpliedOfMounts(numbers),
    )
    place = complete(merged, is_flat and keep_modules(merged, modules.touched))
    return merged, place, write_flat if is_flat else write_root


def build(request):
    os.chdir(places.WORK)
    Output.use(request.get("result"))
    if request.get("modules"):
        return begin()
    devcontainer = request.get("devcontainer")
    mirror = None
    base_mirrors = []
    over = None
    log_in(request.get("logins"))
    Skopeo.stall_seconds = request.get("stallSeconds")
    # What begins with an environment has its modules, or copies the modules into its root.
    may_begin = bool((request.get("dockerfile") or {}).get("present"))
    modules = None if may_begin or "commit" in request or "added" in request else Modules()
    if "commit" in request:
        from pyro_image.commit import commit

        return commit(request["commit"])
    if "added" in request:
        from pyro_image.packages import add_packages

        return add_packages(request["added"])
    if "dockerfile" in request:
        from pyro_image.dockerfile import build_file

        base_mirrors, over = build_file(request["dockerfile"], devcontainer or {})
    elif "archive" in request:
        from pyro_image.archive import image_of_archive

        mirror = fetch(image_of_archive(request["archive"]), request)
    else:
        mirror = fetch(request["source"], request)
    manifest_path = over.manifest_path if over else f"{places.WORK}/image/manifest.json"
    manifest = read_json(manifest_path)
    descriptor = manifest.get("config") or {}
    if not re.match(r"^sha256:[0-9a-f]{64}$", descriptor.get("digest", "")):
        raise Refused("image", f"a manifest of the type {manifest.get('mediaType')!r}, which is no image")
    config = read_json((over.blob if over else blob_at)(descriptor["digest"]), descriptor["digest"])
    if config.get("os") != "linux" or config.get("architecture") != request["architecture"]:
        raise Refused("platform", f"{config.get('os')}/{config.get('architecture')}")
    layers = layers_of(manifest, config)
    os.makedirs(f"{places.WORK}/lower/empty")
    if over:
        progress("writing the image", 0.82)
        merged = merged_root(over.mount())
        place = complete(merged, keep_modules(merged, True))
        write = over.write
    else:
        merged, place, write = unpacked(layers, modules or begun_anew())
    programs = config.get("config") or {}
    programs["Env"] = without_trust(programs.get("Env") or [])
    for name, directory in [
        ("working directory", programs.get("WorkingDir")),
        *(("volume", one) for one in volumes(programs)),
    ]:
        if directory:
            make_directory(merged, os.path.normpath("/" + directory), name)
    for name in (devcontainer or {}).get("links", []):
        link(merged, name)
    label = ""
    if devcontainer is not None:
        from pyro_image.features import LABEL, label_of

        label = json.dumps(label_of(programs))
        if len(label) > MOST_LABEL:
            raise Refused("image", f"a label {LABEL} of more than {MOST_LABEL} characters")
    with open(manifest_path, "rb") as file:
        digest = digest_of(file.read())
    config, packages = settings(programs, merged, devcontainer), packages_of(merged)
    say(
        _tag="Made",
        digest=digest,
        sizeBytes=write(merged, place),
        config=config,
        layers=[{"digest": layer["digest"], "sizeBytes": layer.get("size", 0)} for layer, _ in layers],
        packages=packages,
        label=label,
        **({} if mirror is None else {"mirrorNumber": mirror}),
        **({} if base_mirrors == [] else {"baseMirrors": base_mirrors}),
        **steps_of(request),
    )


# Where the builder has the tree of an image.
IN_TREE = re.compile(rf"{places.WORK}/(?:top/(?:merged|upper)|lower/\d+|unpacked/\d+/(?:merged|upper))(?=/|$)")


def failed_file(error):
    """A file of the image has a form that pyro cannot use, or the builder's own file failed."""
    tree = IN_TREE.match(str(error.filename or ""))
    if not tree:
        return {"kind": "tool", "detail": str(error)[:2000]}
    place = str(error.filename)[tree.end() :] or "/"
    return {"kind": "image", "detail": f"{place!r} of the image cannot be used: {os.strerror(error.errno)}"[:2000]}


def refusal_of(error, request):
    """What the host learns of an exception."""
    if isinstance(error, Refused):
        image = {} if error.image is None else {"image": error.image}
        return {"kind": error.kind, "detail": str(error)[:2000], **image, **steps_of(request)}
    if isinstance(error, OSError):
        return {"kind": "full", "detail": str(error)[:2000]} if error.errno == 28 else failed_file(error)
    if isinstance(error, (ValueError, KeyError, TypeError, AttributeError, OverflowError, tar_module().TarError)):
        return {"kind": "image", "detail": f"{type(error).__name__}: {error}"[:2000]}
    raise error


def main(request):
    try:
        build(request)
    except Exception as error:
        say(_tag="Refused", **refusal_of(error, request))
    # Python's own end waits for the layers that threads still write.
    os._exit(0)
