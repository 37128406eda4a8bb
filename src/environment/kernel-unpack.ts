import { Effect } from "effect"
import * as fs from "node:fs"
import * as path from "node:path"
import * as zlib from "node:zlib"
import { EnvironmentBuildFailed } from "../contract/errors.ts"
import { FileFailed } from "../system/atomic-file.ts"
import { runTool } from "../system/child.ts"
import { type Compression, isKernelElf, kernelPayload } from "./bzimage.ts"
import { loadOrder, readModuleIndex } from "./module-order.ts"
import { readList, recipeFolder } from "./recipe.ts"

/** The pieces that a kernel package is taken apart into, all in one folder. */
export const kernelFiles = ["vmlinux", "modules.tar", "boot-modules.tar"] as const

const unpackers: Readonly<Record<Exclude<Compression, "none" | "gzip">, readonly [string, ...Array<string>]>> = {
  lz4: ["lz4", "-dc"],
  xz: ["xz", "-dc"],
  zstd: ["zstd", "-dc"]
}

/**
 * Takes a Debian kernel package apart into `folder`: the kernel as an ELF file, all modules with the indexes that modprobe wants
 * as one archive, and those that the initramfs loads. Nothing is installed. Gives the kernel's version.
 */
export const unpackKernel = (deb: string, folder: string) =>
  Effect.gen(function*() {
    const tree = path.join(folder, "tree")
    yield* runTool("dpkg-deb", ["--extract", deb, tree])
    const image = fs.readdirSync(path.join(tree, "boot")).find((name) => name.startsWith("vmlinuz-"))
    if (image === undefined) return yield* broken(`${path.basename(deb)} holds no kernel`)
    const version = image.slice("vmlinuz-".length)
    yield* writeVmlinux(path.join(tree, "boot", image), path.join(folder, "vmlinux"))
    // A merged /usr hides nothing from depmod, which looks for lib/modules beneath the folder it is given.
    yield* runTool("depmod", ["--basedir", tree, version], { env: withSbin() })
    const seconds = Math.floor(fs.statSync(path.join(tree, "boot", image)).mtimeMs / 1000)
    yield* archive(folder, "modules.tar", tree, seconds, [`lib/modules/${version}`])
    yield* archive(folder, "boot-modules.tar", tree, seconds, yield* bootModules(tree, version))
    yield* Effect.promise(() => fs.promises.rm(tree, { recursive: true, force: true }))
    return version
  })

/** Host tools for administrators may not be on an ordinary user's PATH. */
export const withSbin = (): NodeJS.ProcessEnv => ({
  ...process.env,
  PATH: `${process.env["PATH"] ?? "/usr/bin:/bin"}:/usr/local/sbin:/usr/sbin:/sbin`
})

const broken = (detail: string) =>
  new EnvironmentBuildFailed({ environment: "the guest kernel", step: "unpack", detail })

const writeVmlinux = (bzImage: string, target: string) =>
  Effect.gen(function*() {
    const payload = yield* Effect.try({
      try: () => kernelPayload(fs.readFileSync(bzImage)),
      catch: (cause) => broken(`${path.basename(bzImage)}: ${(cause as Error).message}`)
    })
    const vmlinux = yield* unpack(payload.compression, payload.bytes)
    if (payload.unpackedBytes !== undefined && vmlinux.length !== payload.unpackedBytes) {
      return yield* broken(`the kernel unpacked to ${vmlinux.length} bytes instead of ${payload.unpackedBytes}`)
    }
    if (!isKernelElf(vmlinux)) return yield* broken("the unpacked kernel is no 64-bit x86 ELF file")
    yield* Effect.try({
      try: () => fs.writeFileSync(target, vmlinux, { mode: 0o444 }),
      catch: (cause) => new FileFailed({ path: target, detail: (cause as Error).message, cause })
    })
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

const bootModules = (tree: string, version: string) =>
  Effect.gen(function*() {
    const folder = path.join(tree, "lib", "modules", version)
    const read = (name: string) => fs.readFileSync(path.join(folder, name), "utf8")
    const wanted = readList(path.join(recipeFolder("kernel"), "boot.modules"))
    const { missing, order } = loadOrder(
      readModuleIndex({ dep: read("modules.dep"), builtin: read("modules.builtin") }),
      wanted
    )
    if (missing.length > 0) return yield* broken(`kernel ${version} has no module ${missing.join(", ")}`)
    return order.map((name) => `lib/modules/${version}/${name}`)
  })

/** Members in the order given (folders sorted), owned by root, all of one time: the same package gives the same bytes. */
const archive = (folder: string, name: string, tree: string, seconds: number, members: ReadonlyArray<string>) =>
  runTool("tar", [
    ...["--create", "--file", path.join(folder, name), "--directory", tree],
    ...[
      "--sort=name",
      "--format=gnu",
      "--owner=0",
      "--group=0",
      "--numeric-owner",
      `--mtime=@${seconds}`,
      "--mode=u=rwX,go=rX"
    ],
    ...members
  ])
