import * as fs from "node:fs"
import * as path from "node:path"
import { Context, Effect, Layer, Option, Schema } from "effect"
import type { EnvironmentBuildFailed, HostToolMissing, ImageDamaged, NoSpace } from "../contract/errors.ts"
import { readJson, writeJsonAtomic } from "../system/atomic-file.ts"
import { withLock } from "../system/lock.ts"
import { nativeTool } from "../system/native.ts"
import { Paths } from "../system/Paths.ts"
import { checkFile, CheckedFile, describeFile, sha256File } from "./checked-file.ts"
import { type BuildTrouble, sayBuildFailure } from "./failures.ts"
import { sha256Text } from "./digest.ts"
import { buildInitramfs } from "./initramfs.ts"
import { fetchKernelPackage } from "./kernel-fetch.ts"
import { kernelFiles, unpackKernel } from "./kernel-unpack.ts"
import { type OnProgress, silent } from "./progress.ts"
import { recipeDigest, recipeFolder } from "./recipe.ts"
import { bytesBeneath, makeTemporary, sweepTemporaries } from "./temporary.ts"
import { needSpace } from "./space.ts"

/** What a VM boots: kernel and initramfs. */
export interface GuestKernel {
  /** Release of the kernel, as `uname -r` says it in the guest. */
  readonly version: string
  /** Names kernel and initramfs together: it changes when the guest agent does. */
  readonly digest: string
  readonly vmlinux: string
  readonly initrd: string
}

/** What an environment's image takes from the kernel package. */
export interface KernelModules {
  readonly version: string
  /** Digest of the kernel's own files, without the agent. */
  readonly digest: string
  /** Tar archive of `lib/modules`. */
  readonly archive: string
}

export type KernelError = EnvironmentBuildFailed | NoSpace | HostToolMissing | ImageDamaged

const Manifest = Schema.Struct({
  format: Schema.Literal(1),
  version: Schema.String,
  /** Debian package that it was taken from. */
  package: Schema.String,
  recipe: Schema.String,
  files: Schema.Record({ key: Schema.String, value: CheckedFile })
})
type Manifest = typeof Manifest.Type

const InitramfsRecord = Schema.Struct({ format: Schema.Literal(1), agent: Schema.String, file: CheckedFile })

const minute = 60_000
/** Room for the package, its unpacked tree and the pieces, in MiB (measured: 26 + 110 + 160). */
const neededMib = 400

/**
 * The one kernel that all guests run: Debian 12's cloud kernel, taken from its package and never installed. It stays as it is
 * until it is removed or damaged, so that nothing needs the network once it is there.
 */
export class Kernel extends Context.Tag("pyro/environment/Kernel")<Kernel, {
  /** Kernel and initramfs, made when they are absent or damaged. Cheap otherwise. */
  readonly ensure: Effect.Effect<GuestKernel, KernelError>
  /** The same, for callers that show how it goes. */
  readonly ensureWith: (onProgress: OnProgress) => Effect.Effect<GuestKernel, KernelError>
  /** Modules for `/lib/modules` of an image, made with the kernel when absent. */
  readonly modules: (onProgress: OnProgress) => Effect.Effect<KernelModules, KernelError>
  /** Removes kernels and initramfs images that are no longer used and what dead builds left; gives the bytes. */
  readonly prune: Effect.Effect<number, KernelError>
}>() {
  static readonly layer = Layer.effect(Kernel, Effect.map(Paths, ({ cacheDir }) => make(path.join(cacheDir, "kernels"))))
}

/** A kernel in the cache, whole. */
interface Home {
  readonly digest: string
  readonly home: string
  readonly version: string
}

const make = (folder: string) => {
  const temporaries = path.join(folder, "tmp")
  const currentFile = path.join(folder, "current.json")
  const say = (step: string) =>
    sayBuildFailure({ environment: "the guest kernel", step, folder, neededMib })
  const recipe = recipeDigest(recipeFolder("kernel"), [])

  /** Current kernel if it is whole. Damage and another recipe count as absent: it is made anew. */
  const current: Effect.Effect<Option.Option<Home>> = Effect.gen(function*() {
    const digest = Option.getOrUndefined(yield* readJson(currentFile, Schema.String))
    if (digest === undefined) return Option.none<Home>()
    const home = path.join(folder, digest)
    const record = Option.getOrUndefined(yield* readJson(path.join(home, "manifest.json"), Manifest))
    if (record === undefined || record.recipe !== recipe) return Option.none<Home>()
    for (const name of kernelFiles) {
      const known = record.files[name]
      if (known === undefined) return Option.none<Home>()
      yield* checkFile(path.join(home, name), known, { thorough: false })
    }
    return Option.some({ digest, home, version: record.version })
  }).pipe(
    Effect.catchTags({ ImageDamaged: tell, FileFailed: tell })
  )

  const build = (onProgress: OnProgress) =>
    Effect.scoped(Effect.gen(function*() {
      yield* needSpace(folder, neededMib)
      const work = yield* makeTemporary(temporaries, "kernel")
      onProgress({ step: "fetching the kernel", fraction: 0 })
      const deb = yield* say("fetch")(fetchKernelPackage({ work: work.path, keep: path.join(folder, "package") }))
      onProgress({ step: "unpacking the kernel", fraction: 0.6 })
      const home = path.join(work.path, "kernel")
      fs.mkdirSync(home, { mode: 0o700 })
      const version = yield* say("unpack")(unpackKernel(deb, home))
      const files: { [name: string]: CheckedFile } = {}
      for (const name of kernelFiles) files[name] = yield* describeFile(path.join(home, name))
      const record: Manifest = { format: 1, version, package: path.basename(deb), recipe, files }
      yield* writeJsonAtomic(path.join(home, "manifest.json"), Manifest, record, { durable: true })
      const digest = digestOf(kernelFiles.map((name) => files[name]?.sha256 ?? ""))
      const target = path.join(folder, digest)
      // A damaged one of the same digest makes room; whoever has its files open keeps them.
      yield* Effect.promise(() => fs.promises.rm(target, { recursive: true, force: true }))
      fs.renameSync(home, target)
      yield* writeJsonAtomic(currentFile, Schema.String, digest, { durable: true })
      onProgress({ step: "unpacking the kernel", fraction: 1 })
      return { digest, home: target, version } satisfies Home
    }))

  const kernel = (onProgress: OnProgress) =>
    current.pipe(
      Effect.flatMap(Option.match({
        onSome: Effect.succeed,
        onNone: () =>
          withLock(path.join(folder, "build.lock"), { timeoutMs: 15 * minute })(
            sweepTemporaries(temporaries).pipe(
              Effect.zipRight(current),
              Effect.flatMap(Option.match({ onSome: Effect.succeed, onNone: () => build(onProgress) }))
            )
          )
      })),
      say("prepare")
    )

  const initramfs = (home: string) =>
    Effect.gen(function*() {
      const agentFile = yield* nativeTool("agent")
      const agent = (yield* sha256File(agentFile)).slice(0, 32)
      const target = path.join(home, `initrd-${agent}.img`)
      const recordFile = `${target}.json`
      const known = Option.getOrUndefined(
        yield* Effect.orElseSucceed(readJson(recordFile, InitramfsRecord), () => Option.none())
      )
      if (known !== undefined) {
        const whole = yield* Effect.option(checkFile(target, known.file, { thorough: false }))
        if (Option.isSome(whole)) return { path: target, sha256: whole.value.sha256 }
      }
      return yield* Effect.scoped(Effect.gen(function*() {
        const work = yield* makeTemporary(temporaries, "initrd")
        const made = path.join(work.path, "initrd.img")
        yield* buildInitramfs({ agent: agentFile, bootModules: path.join(home, "boot-modules.tar"), target: made })
        fs.renameSync(made, target)
        const file = yield* describeFile(target)
        yield* writeJsonAtomic(recordFile, InitramfsRecord, { format: 1 as const, agent, file })
        return { path: target, sha256: file.sha256 }
      }))
    }).pipe(say("initramfs"))

  const ensureWith = (onProgress: OnProgress) =>
    Effect.gen(function*() {
      fs.mkdirSync(folder, { recursive: true, mode: 0o700 })
      const { digest, home, version } = yield* kernel(onProgress)
      const initrd = yield* initramfs(home)
      return {
        version,
        digest: digestOf([digest, initrd.sha256]),
        vmlinux: path.join(home, "vmlinux"),
        initrd: initrd.path
      }
    })

  const modules = (onProgress: OnProgress) =>
    Effect.gen(function*() {
      fs.mkdirSync(folder, { recursive: true, mode: 0o700 })
      const { digest, home, version } = yield* kernel(onProgress)
      return { version, digest, archive: path.join(home, "modules.tar") }
    })

  const prune = Effect.gen(function*() {
    if (!fs.existsSync(folder)) return 0
    let freed = yield* sweepTemporaries(temporaries)
    const used = Option.getOrUndefined(yield* current)
    const agent = (yield* Effect.option(Effect.flatMap(nativeTool("agent"), sha256File))).pipe(
      Option.map((digest) => `initrd-${digest.slice(0, 32)}.img`),
      Option.getOrUndefined
    )
    const old = fs.readdirSync(folder).filter((name) => /^[0-9a-f]{64}$/.test(name) && name !== used?.digest)
      .map((name) => path.join(folder, name))
    if (used !== undefined && agent !== undefined) {
      old.push(
        ...fs.readdirSync(used.home).filter((name) => name.startsWith("initrd-") && !name.startsWith(agent))
          .map((name) => path.join(used.home, name))
      )
    }
    for (const target of old) {
      freed += bytesBeneath(target)
      yield* Effect.promise(() => fs.promises.rm(target, { recursive: true, force: true }))
    }
    return freed
  }).pipe(withLock(path.join(folder, "build.lock"), { timeoutMs: minute }), say("prune"))

  return { ensure: ensureWith(silent), ensureWith, modules, prune }
}

/** Damage is no error here: the log names it, and what is damaged is made anew. */
const tell = (error: ImageDamaged | BuildTrouble) =>
  Effect.as(Effect.logWarning(`the guest kernel is made anew: ${error.message}`), Option.none<Home>())

const digestOf = (parts: ReadonlyArray<string>) => sha256Text(parts.join("\n"))
