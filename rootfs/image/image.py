"""Makes one read-only file system of an OCI image. Runs as root in a builder microVM, because an image is hostile.

Its argument is a JSON object, see `BuilderRequest` in src/environment/image-builder.ts. The other files of this folder are in front of this text, but for export.py. stdout: one JSON object a line: progress, then the result or a failure.
"""

import base64
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile

WORK = "/workspace"
CHUNK = 1 << 20
TAR_BLOCK = 512
# Docker's own limit is 127 layers; overlayfs takes 500.
MOST_LAYERS = 128
MOST_JSON_BYTES = 4 << 20
MOST_LABEL = 65_536
# Overlays keep their whiteouts and opaque directories in extended attributes.
XATTRS = ["--numeric-owner", "--xattrs", "--xattrs-include=*"]
KNOWN_LAYERS = re.compile(r"^application/vnd\.(oci\.image\.layer\.v1\.tar|docker\.image\.rootfs\.diff\.tar)([.+](gzip|zstd))?$")


class Refused(Exception):
    """The image cannot become an environment. `kind` chooses what the host says."""

    def __init__(self, kind, detail):
        super().__init__(detail)
        self.kind = kind


def say(**fields):
    print(json.dumps(fields), flush=True)


def progress(step, fraction):
    say(_tag="Progress", step=step, fraction=round(fraction, 3))


def run(argv, **options):
    done = subprocess.run(argv, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, **options)
    if done.returncode != 0:
        raise Refused("tool", f"{argv[0]} ended with {done.returncode}: {tail(done.stderr)}")


def tail(output):
    text = output.decode("utf-8", "replace").strip()
    return text[-1000:]


def read_json(path, digest=None):
    size = os.stat(path).st_size
    if size > MOST_JSON_BYTES:
        raise Refused("image", f"a manifest or configuration of {size} bytes")
    with open(path, "rb") as file:
        content = file.read()
    if digest is not None and "sha256:" + hashlib.sha256(content).hexdigest() != digest:
        raise Refused("digest", f"the content of {digest} is not what the digest says")
    try:
        return json.loads(content)
    except ValueError as error:
        raise Refused("image", f"{digest or 'the manifest'} is no JSON: {error}") from error


# What skopeo says of a failure, in the order in which it is looked for, and the kind that the host knows (ImagePullFailed in src/contract/errors).
FETCH_FAILURES = [
    ("rate_limit", r"toomanyrequests|too many requests|\b429\b"),
    ("certificate", r"x509:|certificate|tls: (handshake failure|unrecognized name)"),
    ("platform", r"no image found in (image index|manifest list)"),
    ("unauthorized", r"unauthorized|authentication required|authorization failed|access denied|denied:|forbidden|\b401\b|\b403\b"),
    ("not_found", r"(manifest|name|blob) unknown|repository name not known|not found|\b404\b"),
    ("server", r"\b50[0-9]\b|internal server error|bad gateway|service unavailable"),
    ("digest", r"digest did not match|does not match|doesn't match|mismatch|corrupt"),
    ("timeout", r"timeout|timed out|deadline exceeded"),
    ("unreachable", r"no such host|server misbehaving|connection (refused|reset)|no route|unreachable|unexpected eof|\beof\b|broken pipe"),
    ("full", r"no space left"),
    ("image", r"manifest|media ?type|unsupported"),
]


def fetch_failure(output):
    """The kind of skopeo's failure, and its reason without the words before it."""
    said = re.findall(r'level=fatal msg="((?:[^"\\\\]|\\\\.)*)"', output.decode("utf-8", "replace"))
    text = re.sub(r"\\\\(.)", r"\\1", said[-1]) if said else tail(output)
    reason = re.sub(r"^(?:(?:initializing source|trying to reuse blob|writing blob|copying system image from manifest list|determining manifest MIME type for) )?docker://\S+: ", "", text)
    for kind, pattern in FETCH_FAILURES:
        if re.search(pattern, text, re.IGNORECASE):
            return kind, reason
    return "failed", reason


def platforms_of(source, options):
    """The platforms of an index, for a person to read."""
    argv = ["skopeo", "inspect", "--raw", *(["--tls-verify=false"] if options.get("plainHttp") else []), source]
    done = subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    try:
        entries = json.loads(done.stdout[:MOST_JSON_BYTES]).get("manifests") or []
        named = [entry.get("platform") or {} for entry in entries]
        texts = ["/".join(str(one[key]) for key in ("os", "architecture", "variant") if one.get(key)) for one in named]
    except (ValueError, AttributeError, TypeError):
        texts = []
    return ", ".join(sorted({text for text in texts if text and "unknown" not in text})[:20])


def fetch(source, options):
    """Copies manifest, configuration and layers to `image` and checks their digests."""
    progress("fetching the image", 0.02)
    argv = ["skopeo", "--override-os", "linux", "--override-arch", options["architecture"], "copy"]
    argv += ["--preserve-digests", "--retry-times", "2"]
    if options.get("plainHttp"):
        argv += ["--src-tls-verify=false"]
    # Errors go to a file: a pipe that nobody reads yet would stop skopeo.
    with tempfile.TemporaryFile() as errors:
        child = subprocess.Popen(argv + [source, f"dir:{WORK}/image"], stdout=subprocess.PIPE, stderr=errors)
        blobs = 0
        for line in child.stdout:
            if line.startswith(b"Copying blob"):
                blobs += 1
                progress(f"fetching layer {blobs}", min(0.05 + 0.05 * blobs, 0.4))
        if child.wait() != 0:
            errors.seek(max(0, errors.seek(0, os.SEEK_END) - 4096))
            kind, reason = fetch_failure(errors.read())
            raise Refused(kind, platforms_of(source, options) or reason if kind == "platform" else reason)


def log_in(logins):
    """Writes the logins for skopeo and buildah. The passwords are placeholders, for which the host puts the values into requests that pull."""
    if not logins:
        return
    texts = {one["registry"]: f"{one['user']}:{os.environ[one['variable']]}" for one in logins}
    auths = {registry: {"auth": base64.b64encode(text.encode()).decode()} for registry, text in texts.items()}
    os.environ["REGISTRY_AUTH_FILE"] = "/run/pyro-registries.json"
    with open(os.environ["REGISTRY_AUTH_FILE"], "w", encoding="utf-8") as file:
        json.dump({"auths": auths}, file)


def registries(loopback):
    """Short names are Docker Hub's, as everywhere in Dockerfiles. The loopback of the host has another name in here."""
    lines = ['unqualified-search-registries = ["docker.io"]']
    for port in loopback:
        for host in ("localhost", "127.0.0.1"):
            lines += ["[[registry]]", f'prefix = "{host}:{port}"', f'location = "host.pyro.internal:{port}"', "insecure = true"]
    with open("/etc/containers/registries.conf", "w", encoding="utf-8") as file:
        file.write("\n".join(lines) + "\n")


def take_steps(path):
    """The store of earlier builds of this environment. A damaged one is no reason to fail: the steps run again."""
    progress("unpacking the steps of earlier builds", 0.03)
    store = f"{WORK}/storage"
    os.mkdir(store)
    unpacked = subprocess.run(["tar", *XATTRS, "-I", "zstd", "-xpf", path, "-C", store], stderr=subprocess.DEVNULL)
    os.unlink(path)
    checked = unpacked.returncode == 0 and subprocess.run(
        ["buildah", "--root", store, "--runroot", "/run/pyro-build", "images", "--all", "--quiet"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ).returncode == 0
    if not checked:
        remove(store)


def leave_steps(path):
    """The store as one file. Without room for it here, the build is good without it."""
    progress("packing the steps", 0.36)
    packed = subprocess.run(["tar", *XATTRS, "-I", "zstd -1", "-cf", path, "-C", f"{WORK}/storage", "."], stderr=subprocess.DEVNULL)
    if packed.returncode != 0 and os.path.lexists(path):
        os.unlink(path)


def build_file(recipe, devcontainer):
    """Builds a Dockerfile whose context is the seed, and leaves the image in `image`. Its programs may do what they like with this microVM."""
    seed = f"{WORK}/context"
    steps = recipe.get("steps") or {}
    secrets = recipe.get("secrets") or {}
    names = [name for name in os.listdir(WORK) if f"{WORK}/{name}" != steps.get("from")]
    os.mkdir(seed)
    for name in names:
        os.rename(f"{WORK}/{name}", f"{seed}/{name}")
    registries(recipe["loopbackPorts"])
    store = ["buildah", "--root", f"{WORK}/storage", "--runroot", "/run/pyro-build"]
    file = f"{seed}/{recipe.get('file')}"
    if "text" in recipe:
        file = f"{WORK}/Dockerfile"
        with open(file, "w", encoding="utf-8") as target:
            target.write(recipe["text"])
    if steps.get("from"):
        take_steps(steps["from"])
    if secrets:
        # buildah copies secrets into the folder of a step's container: they must not reach the disk.
        os.makedirs(f"{WORK}/storage/overlay-containers", exist_ok=True)
        run(["mount", "-t", "tmpfs", "-o", "mode=700", "tmpfs", f"{WORK}/storage/overlay-containers"])
    argv = [*store, "bud", "--layers", "--pull=always", "--file", file]
    for name, path in secrets.items():
        argv += ["--secret", f"id={name},src={path}"]
    if recipe.get("target"):
        argv += ["--target", recipe["target"]]
    for name, value in recipe["arguments"].items():
        argv += ["--build-arg", f"{name}={value}"]
    bud(argv, os.path.join(seed, recipe.get("context", "")))
    if devcontainer.get("features"):
        install_features(store, devcontainer, seed, bud)
    if steps.get("to"):
        leave_steps(steps["to"])
    progress("taking the layers", 0.37)
    run([*store, "push", "--quiet", "--disable-compression", "built", f"dir:{WORK}/image"])


def bud(argv, context):
    """Runs buildah's build, which leaves the image as `built`."""
    argv = [*argv, "--isolation", "chroot", "--network", "host", "--format", "oci", "--tag", "built", context]
    child = subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL)
    last = []
    for line in child.stdout:
        text = line.decode("utf-8", "replace").rstrip()[:500]
        last = [*last[-19:], text]
        step = re.match(r"(?:\[\d+/\d+\] )?STEP (\d+)/(\d+): (.*)", text)
        if step:
            progress(f"step {step[1]} of {step[2]}: {step[3][:120]}", 0.05 + 0.3 * int(step[1]) / max(int(step[2]), 1))
    if child.wait() != 0:
        raise Refused("dockerfile", "the build failed:\n" + "\n".join(last))


def decompressed(path):
    """The command that decompresses a layer: what its first bytes are, not what its media type says."""
    with open(path, "rb") as file:
        magic = file.read(6)
    if magic[:2] == b"\x1f\x8b":
        return ["gzip", "-dc"]
    if magic[:4] == b"\x28\xb5\x2f\xfd":
        return ["zstd", "-dc"]
    return ["cat"]


def feed(blob, sink, diff_id):
    """Decompresses a layer into `sink`, and checks that it is what the image's configuration names."""
    taken = hashlib.sha256()
    disk = os.statvfs(WORK)
    left = disk.f_bavail * disk.f_frsize
    with open(blob, "rb") as source:
        child = subprocess.Popen(decompressed(blob), stdin=source, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        broken = None
        while piece := child.stdout.read(CHUNK):
            taken.update(piece)
            left -= len(piece)
            if left < 0:
                child.kill()
                child.wait()
                raise Refused("full", f"a layer decompresses to more than the builder's disk takes ({disk.f_blocks * disk.f_frsize >> 20} MiB)")
            if broken is None:
                try:
                    sink.write(piece)
                except BrokenPipeError as error:
                    broken = error
        error = child.stderr.read()
        if child.wait() != 0:
            raise Refused("layer", f"a layer cannot be decompressed: {tail(error)}")
    if "sha256:" + taken.hexdigest() != diff_id:
        raise Refused("digest", f"a layer has other content than the image's configuration says ({diff_id})")
    return broken is None


def to_erofs(blob, diff_id, target):
    """The layer straight into an image: six times faster than an unpacked tree. False if mkfs cannot represent the layer alone."""
    # --aufs: whiteouts become those of overlayfs.
    argv = ["mkfs.erofs", "--quiet", "-T0", "--mkfs-time", "--tar=f", "--aufs", target]
    child = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    whole = feed(blob, child.stdin, diff_id)
    try:
        # The end of an archive, which umoci leaves out.
        if whole:
            child.stdin.write(bytes(2 * TAR_BLOCK))
    except BrokenPipeError:
        pass
    try:
        child.stdin.close()
    except BrokenPipeError:
        pass
    return child.wait() == 0 and whole


def mount(argv):
    run(["mount", *argv], cwd=f"{WORK}/lower")


def lower(numbers):
    """Relative names: the list of all layers must fit in a page."""
    return ":".join(str(number) for number in reversed(numbers))


def unpack(blob, below, number):
    """
    The same layer, unpacked over those below it. For layers that refer to them, such as a hard link to a file of another layer.
    """
    upper, work, merged = (f"{WORK}/unpacked/{number}/{name}" for name in ("upper", "work", "merged"))
    for folder in (upper, work, merged):
        os.makedirs(folder)
    under = lower(below) if below else "empty"
    mount(["-t", "overlay", "overlay", "-o", f"lowerdir={under},upperdir={upper},workdir={work}", merged])
    with open(blob, "rb") as source:
        child = subprocess.Popen(decompressed(blob), stdin=source, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        apply(child.stdout, merged)
        child.stdout.close()
        child.wait()
    run(["umount", merged])
    return upper


def beneath(root, name):
    """The path of an entry. Refuses what leaves the root: a hostile image could only hurt this microVM, but would be no image."""
    parts = [part for part in name.split("/") if part not in ("", ".")]
    if ".." in parts:
        raise Refused("layer", f"an entry with .. in its path: {name!r}")
    at = root
    for part in parts[:-1]:
        at = os.path.join(at, part)
        if os.path.islink(at):
            raise Refused("layer", f"an entry beneath a symbolic link: {name!r}")
    return os.path.join(root, *parts)


def remove(path):
    run(["rm", "-rf", "--one-file-system", "--", path])


class Times:
    """Times of directories, which each entry in them changes. Directories that the archive does not name have the time 0, or keep theirs."""

    def __init__(self):
        self.known = {}

    def keep(self, folder):
        if folder not in self.known:
            self.known[folder] = os.lstat(folder).st_mtime if os.path.isdir(folder) else 0
            if not os.path.isdir(folder):
                self.keep(os.path.dirname(folder))

    def restore(self):
        for folder, time in self.known.items():
            if os.path.isdir(folder) and not os.path.islink(folder):
                os.utime(folder, (time, time))


def apply(stream, root):
    times = Times()
    with tarfile.open(fileobj=stream, mode="r|", errors="surrogateescape") as archive:
        for entry in archive:
            path = beneath(root, entry.name)
            name = os.path.basename(path)
            times.keep(os.path.dirname(path))
            if name == ".wh..wh..opq":
                for one in os.listdir(os.path.dirname(path)):
                    remove(os.path.join(os.path.dirname(path), one))
            elif name.startswith(".wh."):
                remove(os.path.join(os.path.dirname(path), name[4:]))
            else:
                place(archive, entry, path, root)
                if entry.isdir():
                    times.known[path] = entry.mtime
    times.restore()


def place(archive, entry, path, root):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    if os.path.lexists(path) and not (entry.isdir() and os.path.isdir(path) and not os.path.islink(path)):
        remove(path)
    if entry.isdir():
        os.makedirs(path, exist_ok=True)
    elif entry.issym():
        os.symlink(entry.linkname, path)
    elif entry.islnk():
        os.link(beneath(root, entry.linkname), path, follow_symlinks=False)
        return
    elif entry.isreg():
        with open(path, "wb") as target:
            source = archive.extractfile(entry)
            while piece := source.read(CHUNK):
                target.write(piece)
    elif entry.ischr() or entry.isblk():
        kind = 0o020000 if entry.ischr() else 0o060000
        os.mknod(path, kind | 0o600, os.makedev(entry.devmajor, entry.devminor))
    elif entry.isfifo():
        os.mkfifo(path)
    else:
        raise Refused("layer", f"an entry of unknown type: {entry.name!r}")
    os.chown(path, entry.uid, entry.gid, follow_symlinks=False)
    if not entry.issym():
        os.chmod(path, entry.mode & 0o7777)
    for key, value in entry.pax_headers.items():
        if key.startswith("SCHILY.xattr."):
            os.setxattr(path, key[13:], value.encode("utf-8", "surrogateescape"), follow_symlinks=False)
    os.utime(path, (entry.mtime, entry.mtime), follow_symlinks=False)


def layers_of(manifest, config):
    layers = manifest.get("layers") or []
    diff_ids = (config.get("rootfs") or {}).get("diff_ids") or []
    if len(layers) != len(diff_ids):
        raise Refused("image", f"the manifest has {len(layers)} layers, its configuration {len(diff_ids)}")
    if len(layers) > MOST_LAYERS:
        raise Refused("image", f"{len(layers)} layers; at most {MOST_LAYERS} are supported")
    for layer in layers:
        if not KNOWN_LAYERS.match(layer.get("mediaType", "")):
            raise Refused("layer", f"a layer of the type {layer.get('mediaType')!r}")
        if not re.match(r"^sha256:[0-9a-f]{64}$", layer.get("digest", "")):
            raise Refused("layer", f"a layer with the digest {layer.get('digest')!r}")
    return list(zip(layers, diff_ids))


def assemble(layers):
    """Mounts every layer; gives their numbers, the lowest first."""
    os.makedirs(f"{WORK}/lower/empty")
    numbers = []
    for number, (layer, diff_id) in enumerate(layers, 1):
        progress(f"unpacking layer {number} of {len(layers)}", 0.4 + 0.4 * (number - 1) / len(layers))
        blob = f"{WORK}/image/{layer['digest'].split(':')[1]}"
        at = f"{WORK}/lower/{number}"
        os.makedirs(at)
        image = f"{WORK}/lower/{number}.erofs"
        if to_erofs(blob, diff_id, image):
            os.unlink(blob)
            mount(["-t", "erofs", "-o", "ro,loop", image, at])
        else:
            if os.path.lexists(image):
                os.unlink(image)
            mount(["--bind", unpack(blob, numbers, number), at])
            os.unlink(blob)
        numbers.append(number)
    return numbers


def link(root, place):
    """Another name of /workspace, where a dev container expects its project. What is there already stays."""
    made = beneath(root, place)
    if os.path.lexists(made):
        return
    times = Times()
    times.keep(os.path.dirname(made))
    os.makedirs(os.path.dirname(made), exist_ok=True)
    os.symlink("/workspace", made)
    os.utime(made, (0, 0), follow_symlinks=False)
    times.restore()


def complete(root):
    """What pyro needs of any root: mount points, files that it writes, and the modules of its kernel. All have the time 0."""
    before = {path: os.lstat(path) for path in (f"{root}/etc", f"{root}/lib", f"{root}/usr/lib") if os.path.isdir(path) and not os.path.islink(path)}
    for name, mode in (("proc", 0o555), ("sys", 0o555), ("dev", 0o755), ("run", 0o755), ("tmp", 0o1777), ("workspace", 0o755), ("etc", 0o755)):
        path = f"{root}/{name}"
        if not os.path.lexists(path):
            os.mkdir(path)
            os.chmod(path, mode)
            os.utime(path, (0, 0))
        elif os.path.islink(path) or not os.path.isdir(path):
            raise Refused("image", f"/{name} is no directory")
    for name in ("hostname", "hosts", "machine-id"):
        path = f"{root}/etc/{name}"
        if os.path.islink(path):
            os.unlink(path)
        open(path, "w").close()
        os.utime(path, (0, 0))
    lib = f"{root}/lib"
    if os.path.islink(lib) and os.path.isdir(f"{root}/usr/lib"):
        lib = f"{root}/usr/lib"
    os.makedirs(lib, exist_ok=True)
    remove(f"{lib}/modules")
    run(["cp", "-a", "/usr/lib/modules", f"{lib}/modules"])
    for path, stat in before.items():
        os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    # The root itself is the overlay's, and as new as the build.
    for path in (root, f"{root}/etc", lib):
        if path not in before:
            os.utime(path, (0, 0))


def make_directory(root, path):
    """Makes the image's working directory, as container engines do. Links of the image lead to the image."""
    child = os.fork()
    if child == 0:
        try:
            os.chroot(root)
            os.chdir("/")
            above = path
            while not os.path.exists(above):
                above = os.path.dirname(above)
            before = os.stat(above)
            os.makedirs(path, exist_ok=True)
            made = path
            while made != above:
                os.utime(made, (0, 0))
                made = os.path.dirname(made)
            os.utime(above, ns=(before.st_atime_ns, before.st_mtime_ns))
        except OSError:
            os._exit(1)
        os._exit(0)
    if os.waitpid(child, 0)[1] != 0:
        raise Refused("image", f"its working directory {path!r} cannot be made")


def packages_of(root):
    """Debian packages of the image. Other package managers have no list here."""
    listed = subprocess.run(
        ["dpkg-query", f"--admindir={root}/var/lib/dpkg", "-W", "-f", "${Package}=${Version}\\n"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    return listed.stdout.decode("utf-8", "replace")[: 1 << 20] if listed.returncode == 0 else ""


def ids(path, name, field=0):
    """The third and fourth field of the first line of passwd or group with this name, or with this uid in another field."""
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            for line in file:
                fields = line.rstrip("\n").split(":")
                if len(fields) > 2 and fields[field] == name:
                    return fields[2], fields[3] if len(fields) > 3 else ""
    except OSError:
        pass
    return None


def user_of(text, root):
    """USER of an image as uid:gid. A uid without an entry has group 0, as in container engines."""
    user, _, group = text.partition(":")
    found = ids(f"{root}/etc/passwd", user, 2 if user.isdigit() else 0)
    uid, gid = found or ((user, "0") if user.isdigit() else (None, None))
    if group != "":
        gid = group if group.isdigit() else (ids(f"{root}/etc/group", group) or [None])[0]
    if uid is None or gid is None:
        raise Refused("image", f"its user {text!r} is in neither /etc/passwd nor /etc/group")
    return f"{uid}:{gid}"


def settings(config, root, devcontainer):
    """The parts of the configuration that the host uses."""
    used = {
        "env": config.get("Env") or [],
        "entrypoint": config.get("Entrypoint") or [],
        "command": config.get("Cmd") or [],
        "exposedPorts": sorted(config.get("ExposedPorts") or {}),
    }
    user = config.get("User")
    if devcontainer is not None:
        user = users_of(config, devcontainer)["commands"]
        # An image without /etc/passwd has root, too.
        user = None if user == "root" else user
    if user:
        used["user"] = user_of(user, root)
    if config.get("WorkingDir"):
        used["workingDirectory"] = config["WorkingDir"]
    if config.get("StopSignal"):
        used["stopSignal"] = config["StopSignal"]
    return used


def steps_of(request):
    path = ((request.get("dockerfile") or {}).get("steps") or {}).get("to")
    return {"stepsBytes": os.stat(path).st_size} if path and os.path.lexists(path) else {}


def build(request):
    os.chdir(WORK)
    run(["modprobe", "loop"])
    devcontainer = request.get("devcontainer")
    log_in(request.get("logins"))
    if "commit" in request:
        return commit(request["commit"])
    if "added" in request:
        return add_packages(request["added"])
    if "dockerfile" in request:
        build_file(request["dockerfile"], devcontainer or {})
    else:
        fetch(image_of_archive(request["archive"]) if "archive" in request else request["source"], request)
    manifest_path = f"{WORK}/image/manifest.json"
    manifest = read_json(manifest_path)
    descriptor = manifest.get("config") or {}
    if not re.match(r"^sha256:[0-9a-f]{64}$", descriptor.get("digest", "")):
        raise Refused("image", f"a manifest of the type {manifest.get('mediaType')!r}, which is no image")
    config = read_json(f"{WORK}/image/{descriptor['digest'].split(':')[1]}", descriptor["digest"])
    if config.get("os") != "linux" or config.get("architecture") != request["architecture"]:
        raise Refused("platform", f"{config.get('os')}/{config.get('architecture')}")
    layers = layers_of(manifest, config)
    numbers = assemble(layers)
    progress("writing the image", 0.82)
    merged = merged_root(numbers)
    complete(merged)
    directory = (config.get("config") or {}).get("WorkingDir")
    if directory:
        make_directory(merged, os.path.normpath("/" + directory))
    for place in (devcontainer or {}).get("links", []):
        link(merged, place)
    label = json.dumps(label_of(config.get("config") or {})) if devcontainer is not None else ""
    if len(label) > MOST_LABEL:
        raise Refused("image", f"a label {LABEL} of more than {MOST_LABEL} characters")
    with open(manifest_path, "rb") as file:
        digest = "sha256:" + hashlib.sha256(file.read()).hexdigest()
    say(
        _tag="Made",
        digest=digest,
        sizeBytes=write_root(merged),
        config=settings(config.get("config") or {}, merged, devcontainer),
        layers=[{"digest": layer["digest"], "sizeBytes": layer.get("size", 0)} for layer, _ in layers],
        packages=packages_of(merged),
        label=label,
        **steps_of(request),
    )


def main():
    try:
        build(json.loads(sys.argv[1]))
    except Refused as refused:
        say(_tag="Refused", kind=refused.kind, detail=str(refused)[:2000])
    except FeatureRefused as refused:
        say(_tag="Refused", kind="feature", detail=str(refused)[:2000])
    except OSError as error:
        say(_tag="Refused", kind="full" if error.errno == 28 else "tool", detail=str(error)[:2000])
    except (tarfile.TarError, ValueError, KeyError, TypeError, AttributeError) as error:
        say(_tag="Refused", kind="image", detail=f"{type(error).__name__}: {error}"[:2000])


main()
