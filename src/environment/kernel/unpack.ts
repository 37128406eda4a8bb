import { Effect } from "effect"
import * as path from "node:path"
import * as zlib from "node:zlib"
import { EnvironmentBuildFailed } from "../../contract/errors/errors.ts"
import { readFile, writeFile } from "../../system/files/content.ts"
import { statFile } from "../../system/files/entries.ts"
import { listFolder, removeTree } from "../../system/files/folders.ts"
import { runTool } from "../../system/processes/child.ts"
import { runSupervised } from "../image/host-tools.ts"
import { readList, recipeFolder } from "../image/recipe.ts"
import { type Compression, isKernelElf, kernelPayload } from "./bzimage.ts"
import { cpioMembers, fileType } from "./cpio.ts"
import { loadOrder, readModuleIndex } from "./module-order.ts"

/** Parts of an unpacked kernel package, all in one folder. */
export const kernelFiles = ["vmlinux", "modules.tar", "boot-modules.cpio"] as const

const unpackers: Readonly<Record<Exclude<Compression, "none" | "gzip">, readonly [string, ...Array<string>]>> = {
  lz4: ["lz4", "-dc"],
  xz: ["xz", "-dc"],
  zstd: ["zstd", "-dc"]
}

/**
 * Unpacks a Debian kernel package into `folder`: the kernel as an ELF file, one archive of all modules with the indexes of
 * modprobe, and the modules that the initramfs loads. Nothing is installed. Gives the kernel's version.
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

/** Part of the initramfs that depends on the kernel alone: `/modules`, with the module names in load order. */
const bootModules = (folder: string) =>
  Effect.gen(function*() {
    const read = (name: string) => readFile(path.join(folder, name))
    const index = readModuleIndex({
      dep: (yield* read("modules.dep")).toString(),
      builtin: (yield* read("modules.builtin")).toString()
    })
    const { missing, order } = loadOrder(index, readList(path.join(recipeFolder("kernel"), "boot.modules")))
    if (missing.length > 0) return yield* broken(`kernel ${path.basename(folder)} has no module ${missing.join(", ")}`)
    const names = order.map((file) => path.basename(file))
    const file = (name: string, content: Buffer) => ({
      name: `modules/${name}`,
      mode: fileType.regular | 0o644,
      content
    })
    return cpioMembers([
      { name: "modules", mode: fileType.directory | 0o755 },
      file("order", Buffer.from(names.join("\n") + "\n")),
      ...(yield* Effect.forEach(order, (module) =>
        Effect.map(read(module), (content) => file(path.basename(module), content))))
    ], bootModulesInode)
  })

/** Clear of the inode numbers that the rest of the initramfs has. */
const bootModulesInode = 1000

const readOnly = { mode: 0o444 }
