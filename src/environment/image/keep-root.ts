import { Effect } from "effect"
import * as path from "node:path"
import { copyFile, readText } from "../../system/files/content.ts"
import { exists, makeFolder } from "../../system/files/entries.ts"
import { makeTemporary, sweepTemporaries, type Temporary } from "../../system/files/temporary.ts"
import { ToolFailed } from "../../system/processes/child.ts"
import { nowIso } from "../../system/waits/time.ts"
import type { KernelError, KernelModules } from "../Kernel.ts"
import { checkName, type Definition, type ownDefinitions } from "../own.ts"
import { needTool, runSupervised } from "./host-tools.ts"
import type { OnProgress } from "./progress.ts"
import { type imageStore, parsePackages } from "./store.ts"

export interface KeepRequest {
  readonly name: string
  /** Gives the name to the new environment if it belongs to another one of the user's own. */
  readonly replace?: boolean
  /** Id of the workspace with this root, and the environment of that workspace. */
  readonly workspace: string
  readonly from: string
}

/** Destinations of a kept root, and the services for its completion. */
interface Keeping {
  readonly definitions: ReturnType<typeof ownDefinitions>
  readonly images: ReturnType<typeof imageStore>
  readonly modules: Effect.Effect<KernelModules, KernelError>
}

/**
 * Makes an environment from a tar archive of a guest's root, which `archive` writes to a new file. pyro stores the image before its
 * definition, so a failure leaves nothing. One call at a time.
 */
export const keepRoot = <E>(
  { definitions, images, modules }: Keeping,
  { from, name, replace = false, workspace }: KeepRequest,
  archive: (file: string) => Effect.Effect<void, E>,
  onProgress: OnProgress
) =>
  Effect.scoped(Effect.gen(function*() {
    yield* checkName(name)
    const definition: Definition = {
      format: 1,
      name,
      from,
      packages: [],
      workspace,
      created: yield* nowIso
    }
    yield* definitions.known(definition, { replace })
    yield* sweepTemporaries(images.temporaries)
    const work = yield* makeTemporary(images.temporaries, name)
    const given = path.join(work.path, "in")
    yield* makeFolder(given)
    onProgress({ step: "reading the workspace's root", fraction: 0.05 })
    yield* archive(path.join(given, "root.tar"))
    const { archive: modulesArchive, digest: kernel, version: kernelVersion } = yield* modules
    yield* copyFile(modulesArchive, path.join(given, "modules.tar"))
    onProgress({ step: "writing the image", fraction: 0.7 })
    const { image, packageList } = yield* unpackImage(work)
    yield* images.add(work.path, image, {
      name,
      recipe: "workspace",
      kernelVersion,
      kernel,
      sources: [],
      packages: parsePackages(packageList)
    })
    yield* definitions.keep(definition, { replace })
    // Workspaces keep the old image through their own links or copies.
    if (replace) yield* images.sweep
  }))

/** Maximum time to unpack: enough for an archive of the maximum size on a slow disk. */
const unpackTimeout = "20 minutes"

/** Maximum bytes of one file and of the image, against a terabyte of zeros. */
const mostMib = 16 * 1024

/**
 * Unpacks /in/root.tar and makes an image in /out. The archive comes from a guest. tar leaves out devices, because the sandbox has no
 * capability to make one. Links stay inside this sandbox, and no file grows beyond the limit. Missing mount points of the guest's
 * kernel and of pyro are made, and the modules are the kernel's own.
 */
const script = `
set -u
ulimit -f "$PYRO_MOST_KIB"
mkdir /out/root || exit 1
tar -C /out/root -xf /in/root.tar --numeric-owner --same-owner --same-permissions --acls \\
  --xattrs --xattrs-include=security.capability --xattrs-include='user.*' 2>/out/errors
code=$?
known="(: Cannot mknod: Operation not permitted|Exiting with failure status due to previous errors)$"
if [ "$code" != 0 ] && { [ "$code" != 2 ] || grep -Eqv "$known" /out/errors; }; then
  grep -Ev "$known" /out/errors | tail -n 3 >&2
  echo "unpacking ended with $code (153: a file has more than $((PYRO_MOST_KIB / 1024)) MiB)" >&2
  exit 1
fi
set -e
cd /out/root
for name in etc usr/lib; do mkdir -p "/tmp/$name"; touch -r "$name" "/tmp/$name"; done
mkdir -p proc sys dev run tmp workspace
chmod 1777 tmp
for name in hostname hosts machine-id; do : >"etc/$name"; done
rm -rf usr/lib/modules
tar --no-same-owner -xf /in/modules.tar
for name in etc usr/lib; do touch -r "/tmp/$name" "$name"; done
cd /out
dpkg-query --admindir=/out/root/var/lib/dpkg -W -f '\${Package}=\${Version}\\n' 2>/dev/null | head -c 4194304 >packages || true
mkfs.erofs --quiet -U 70797261-0000-4000-8000-000000000000 root.erofs root
`

const capabilities = ["CAP_CHOWN", "CAP_FOWNER", "CAP_FSETID", "CAP_DAC_OVERRIDE", "CAP_SETFCAP"]

const tooLong = () =>
  new ToolFailed({ tool: "tar", code: -1, signal: "SIGKILL", stderr: `it took longer than ${unpackTimeout}` })

/**
 * Unpacks `in/root.tar` and `in/modules.tar` of `work`. Returns the image and the lines of its package list. bubblewrap and its children stay in
 * the process group that `runTool` kills, so there is no `--new-session`.
 */
export const unpackImage = (work: Temporary) =>
  Effect.gen(function*() {
    for (const tool of ["bwrap", "mkfs.erofs", "tar"]) yield* needTool(tool)
    const out = path.join(work.path, "out")
    yield* makeFolder(out)
    yield* runSupervised(work.alive, [
      "bwrap",
      ...["--unshare-pid", "--unshare-net", "--unshare-ipc", "--unshare-uts", "--die-with-parent"],
      ...["--ro-bind", "/usr", "/usr"],
      ...["bin", "sbin", "lib", "lib64"].flatMap((name) => ["--symlink", `usr/${name}`, `/${name}`]),
      ...["--tmpfs", "/tmp", "--dev", "/dev", "--proc", "/proc"],
      ...["--ro-bind", path.join(work.path, "in"), "/in", "--bind", out, "/out"],
      ...["--clearenv", "--setenv", "PATH", "/usr/sbin:/usr/bin", "--setenv", "LC_ALL", "C.UTF-8"],
      ...["--setenv", "PYRO_MOST_KIB", String(mostMib * 1024)],
      ...["--cap-drop", "ALL", ...capabilities.flatMap((name) => ["--cap-add", name])],
      ...["bash", "-c", script]
    ])
    const list = path.join(out, "packages")
    return {
      image: path.join(out, "root.erofs"),
      packageList: exists(list) ? yield* readText(list) : ""
    }
  }).pipe(Effect.timeoutOrElse({ duration: unpackTimeout, orElse: () => Effect.fail(tooLong()) }))
