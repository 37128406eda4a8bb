import { Effect } from "effect"
import * as path from "node:path"
import * as zlib from "node:zlib"
import { EnvironmentBuildFailed } from "../../../contract/errors/errors.ts"
import { readFile, writeFile } from "../../../system/files/content.ts"
import { listFolder, statFile } from "../../../system/files/entries.ts"
import { removeTree } from "../../../system/files/remove-tree.ts"
import { runTool } from "../../../system/processes/child.ts"
import { runSupervised } from "../model/host-tools.ts"
import { cpioMembers, fileType } from "../model/initramfs.ts"
import { readList, recipeFolder } from "../model/rootfs.ts"
import { type Compression, isKernelElf, kernelPayload } from "./bzimage.ts"

/** Parts of an unpacked kernel package, all in one folder. */
export const kernelFiles = ["vmlinux", "modules.tar", "boot-modules.cpio"] as const

const unpackers: Readonly<Record<Exclude<Compression, "none" | "gzip">, readonly [string, ...Array<string>]>> = {
  lz4: ["lz4", "-dc"],
  xz: ["xz", "-dc"],
  zstd: ["zstd", "-dc"]
}

/**
 * Unpacks a Debian kernel package into `folder`: the kernel as an ELF file, one archive of all modules with the indexes of
 * modprobe, and the modules that the initramfs loads. Installs nothing. Returns the kernel's version.
 */
export const unpackKernel = (deb: string, folder: string, alive: string) =>
  Effect.gen(function*() {
    const tree = path.join(folder, "tree")
    yield* runSupervised(alive, ["dpkg-deb", "--extract", deb, tree])
    const image = (yield* listFolder(path.join(tree, "boot"))).find((name) => name.startsWith("vmlinuz-"))
    if (image === undefined) return yield* broken(`${path.basename(deb)} holds no kernel`)
    const version = image.slice("vmlinuz-".length)
    yield* writeVmlinux(path.join(tree, "boot", image), path.join(folder, "vmlinux"))
    // depmod looks for lib/modules beneath its folder, also on a host with a merged /usr.
    yield* runSupervised(alive, ["depmod", "--basedir", tree, version])
    const seconds = Math.floor(((yield* statFile(path.join(tree, "boot", image)))?.mtimeMs ?? 0) / 1000)
    yield* runSupervised(alive, [
      ...(["tar", "--create", "--file", path.join(folder, "modules.tar"), "--directory", tree] as const),
      ...["--sort=name", "--format=gnu", "--owner=0", "--group=0", "--numeric-owner", `--mtime=@${seconds}`],
      ...["--mode=u=rwX,go=rX", `lib/modules/${version}`]
    ])
    yield* writeFile(
      path.join(folder, "boot-modules.cpio"),
      yield* bootModules(path.join(tree, "lib", "modules", version)),
      readOnly
    )
    yield* removeTree(tree)
    return version
  })

const broken = (detail: string) =>
  new EnvironmentBuildFailed({ environment: "the guest kernel", step: "unpack", detail })

const writeVmlinux = (bzImage: string, target: string) =>
  Effect.gen(function*() {
    const content = yield* readFile(bzImage)
    const payload = yield* Effect.try({
      try: () => kernelPayload(content),
      catch: (cause) => broken(`${path.basename(bzImage)}: ${(cause as Error).message}`)
    })
    const vmlinux = yield* unpack(payload.compression, payload.bytes)
    if (payload.unpackedBytes !== undefined && vmlinux.length !== payload.unpackedBytes) {
      return yield* broken(`the kernel unpacked to ${vmlinux.length} bytes instead of ${payload.unpackedBytes}`)
    }
    if (!isKernelElf(vmlinux)) return yield* broken("the unpacked kernel is no 64-bit x86 ELF file")
    yield* writeFile(target, vmlinux, readOnly)
  })

const unpack = (compression: Compression, bytes: Buffer) => {
  switch (compression) {
    case "none":
      return Effect.succeed(bytes)
    case "gzip":
      return Effect.try({ try: () => zlib.gunzipSync(bytes), catch: (cause) => broken((cause as Error).message) })
    default: {
      const [tool, ...args] = unpackers[compression]
      const options = { input: bytes, maxOutputBytes: 512 * 1024 * 1024 }
      return Effect.map(runTool(tool, args, options), ({ stdout }) => stdout)
    }
  }
}

/** Lists of modules in the kernel's recipe, and the files with their load order in `/modules`. The agent knows these names. */
const moduleLists = { "boot.modules": "order", "vsock.modules": "order-vsock" } as const

/** Part of the initramfs that depends only on the kernel: `/modules`, with the module names in load order. */
const bootModules = (folder: string) =>
  Effect.gen(function*() {
    const read = (name: string) => readFile(path.join(folder, name))
    const index = readModuleIndex({
      dep: (yield* read("modules.dep")).toString(),
      builtin: (yield* read("modules.builtin")).toString()
    })
    const lists = Object.entries(moduleLists).map(([list, name]) => ({
      name,
      ...loadOrder(index, readList(path.join(recipeFolder("kernel"), list)))
    }))
    const missing = lists.flatMap((list) => list.missing)
    if (missing.length > 0) return yield* broken(`kernel ${path.basename(folder)} has no module ${missing.join(", ")}`)
    const modules = new Set(lists.flatMap(({ order }) => order))
    const file = (name: string, content: Buffer) => ({
      name: `modules/${name}`,
      mode: fileType.regular | 0o644,
      content
    })
    return cpioMembers([
      { name: "modules", mode: fileType.directory | 0o755 },
      ...lists.map(({ name, order }) =>
        file(name, Buffer.from(order.map((module) => `${path.basename(module)}\n`).join("")))
      ),
      ...(yield* Effect.forEach(modules, (module) =>
        Effect.map(read(module), (content) => file(path.basename(module), content))))
    ], bootModulesInode)
  })

/** Above the inode numbers of the rest of the initramfs. */
const bootModulesInode = 1000

const readOnly = { mode: 0o444 }

/** Modules of a kernel, by file name relative to the module folder, each with its dependencies. */
interface ModuleIndex {
  /** Path of each loadable module by name. */
  readonly paths: ReadonlyMap<string, string>
  /** All dependencies of a module's path, in the order of `modules.dep`: the first module to load is the last in the list. */
  readonly dependencies: ReadonlyMap<string, ReadonlyArray<string>>
  readonly builtin: ReadonlySet<string>
}

/** A module's name in the kernel: without folder and suffix, dashes as underscores. */
const moduleName = (path: string) => path.slice(path.lastIndexOf("/") + 1).replace(/\.ko$/, "").replaceAll("-", "_")

/** Reads `modules.dep` of depmod and `modules.builtin` of the kernel's build. */
export const readModuleIndex = (files: { readonly dep: string; readonly builtin: string }): ModuleIndex => {
  const paths = new Map<string, string>()
  const dependencies = new Map<string, ReadonlyArray<string>>()
  for (const line of files.dep.split("\n")) {
    const colon = line.indexOf(":")
    if (colon < 0) continue
    const path = line.slice(0, colon)
    paths.set(moduleName(path), path)
    dependencies.set(path, line.slice(colon + 1).split(" ").filter((word) => word !== ""))
  }
  const builtin = files.builtin.split("\n").filter((line) => line !== "").map(moduleName)
  return { paths, dependencies, builtin: new Set(builtin) }
}

/**
 * Puts the wanted modules and their dependencies into load order, without built-in modules. The second list names modules that the
 * kernel lacks.
 */
export const loadOrder = (
  index: ModuleIndex,
  wanted: ReadonlyArray<string>
): { readonly order: ReadonlyArray<string>; readonly missing: ReadonlyArray<string> } => {
  const order = new Set<string>()
  const missing: Array<string> = []
  for (const name of wanted) {
    const path = index.paths.get(name)
    if (path === undefined) {
      if (!index.builtin.has(name)) missing.push(name)
      continue
    }
    for (const dependency of [...(index.dependencies.get(path) ?? [])].reverse()) order.add(dependency)
    order.add(path)
  }
  return { order: [...order], missing }
}
