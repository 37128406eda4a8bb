import { Context, Effect, Layer, Option, Schema } from "effect"
import { createHash } from "node:crypto"
import * as path from "node:path"
import { ImageDamaged } from "../../contract/errors/errors.ts"
import { readJson, recall, writeJsonAtomic } from "../../system/files/atomic-file.ts"
import { readFile } from "../../system/files/content.ts"
import { CheckedFile, checkFile, describeFile, sha256Text } from "../../system/files/digest.ts"
import { ensureFolder, listFolder, renameFile } from "../../system/files/entries.ts"
import { withLock } from "../../system/files/lock.ts"
import { Paths } from "../../system/files/Paths.ts"
import { removeTree } from "../../system/files/remove-tree.ts"
import { makeTemporary, sweepTemporaries } from "../../system/files/temporary.ts"
import { bytesBeneath } from "../../system/files/usage.ts"
import { nativeTool } from "../../system/processes/native.ts"
import { asStep } from "../../system/telemetry/spans.ts"
import { buildKernel, findKernel, mapKernelFailure } from "./kernel/home.ts"
import { buildInitramfs } from "./model/initramfs.ts"
import type { GuestKernels } from "./model/kernel.ts"
import { type OnProgress, silent } from "./model/progress.ts"

/**
 * The one kernel of all guests: Debian 12's cloud kernel, unpacked from its package and never installed. The kernel stays until it is removed or
 * damaged, so that later uses need no network.
 */
export class Kernel extends Context.Service<Kernel, GuestKernels>()("pyro/environment/Kernel") {
  static readonly layer = Layer.effect(
    Kernel,
    Effect.map(Paths, ({ cacheDir }) => make(path.join(cacheDir, "kernels")))
  )
}

const minute = 60_000

const make = (root: string) => {
  const temporaries = path.join(root, "tmp")
  const alone = (timeoutMs: number) => withLock(path.join(root, "build.lock"), { timeoutMs })
  const prepare = ensureFolder(root)

  const kernel = (onProgress: OnProgress) =>
    Effect.andThen(prepare, findKernel(root)).pipe(
      Effect.flatMap(Option.match({
        onSome: Effect.succeed,
        onNone: () =>
          sweepTemporaries(temporaries).pipe(
            Effect.andThen(findKernel(root)),
            Effect.flatMap(Option.match({
              onSome: Effect.succeed,
              onNone: () => buildKernel(root, temporaries, onProgress)
            })),
            alone(15 * minute)
          )
      })),
      mapKernelFailure(root, "prepare")
    )

  const ensureWith = (onProgress: OnProgress) =>
    Effect.gen(function*() {
      const { digest, folder, version } = yield* kernel(onProgress)
      const initrd = yield* mapKernelFailure(root, "initramfs")(initramfs(folder, temporaries))
      return {
        version,
        digest: sha256Text(`${digest}\n${initrd.sha256}`),
        vmlinux: path.join(folder, "vmlinux"),
        initrd: initrd.path
      }
    }).pipe(asStep("kernel"))

  const modules = (onProgress: OnProgress) =>
    Effect.map(kernel(onProgress), ({ digest, folder, version }) => ({
      version,
      digest,
      archive: path.join(folder, "modules.tar")
    }))

  const sweep = Effect.andThen(prepare, sweepTemporaries(temporaries)).pipe(mapKernelFailure(root, "sweep"))

  const prune = Effect.gen(function*() {
    const swept = yield* sweepTemporaries(temporaries)
    const unused = yield* unusedFiles(root)
    const bytes = unused.reduce((sum, target) => sum + bytesBeneath(target), swept)
    yield* Effect.forEach(unused, removeTree, { discard: true })
    return bytes
  }).pipe(alone(minute), (locked) => Effect.andThen(prepare, locked), mapKernelFailure(root, "prune"))

  return { ensure: ensureWith(silent), ensureWith, modules, sweep, prune }
}

const InitramfsRecord = Schema.Struct({ format: Schema.Literal(1), file: CheckedFile })

const initramfsName = (agentDigest: string) => `initrd-${agentDigest.slice(0, 32)}.img`

/** Cached, because every start of a VM needs it. */
const agentDigest = (file: string) =>
  recall(
    file,
    Effect.mapBoth(readFile(file), {
      onSuccess: (content) => createHash("sha256").update(content).digest("hex"),
      onFailure: ({ detail }) => new ImageDamaged({ path: file, detail })
    })
  )

/** The initramfs of a kernel with the current agent, made if absent or damaged. Concurrent builds write the same file. */
const initramfs = (folder: string, temporaries: string) =>
  Effect.gen(function*() {
    const agent = yield* nativeTool("agent")
    const target = path.join(folder, initramfsName(yield* agentDigest(agent)))
    const record = `${target}.json`
    const known = yield* Effect.orElseSucceed(
      recall(record, readJson(record, InitramfsRecord)),
      () => Option.none()
    )
    if (Option.isSome(known)) {
      const whole = yield* Effect.option(checkFile(target, known.value.file, { thorough: false }))
      if (Option.isSome(whole)) {
        // As for the kernel: a copied cache is read once.
        if (whole.value !== known.value.file) {
          yield* Effect.ignore(writeJsonAtomic(record, InitramfsRecord, { format: 1, file: whole.value }))
        }
        return { path: target, sha256: whole.value.sha256 }
      }
    }
    return yield* Effect.scoped(Effect.gen(function*() {
      const work = yield* makeTemporary(temporaries, "initrd")
      const made = path.join(work.path, "initrd.img")
      yield* buildInitramfs({ agent, bootModules: path.join(folder, "boot-modules.cpio"), target: made })
      yield* renameFile(made, target)
      const file = yield* describeFile(target)
      yield* writeJsonAtomic(record, InitramfsRecord, { format: 1 as const, file })
      return { path: target, sha256: file.sha256 }
    }))
  })

/** Kernels other than the current one, and initramfs images of earlier agents. */
const unusedFiles = (root: string) =>
  Effect.gen(function*() {
    const current = Option.getOrUndefined(yield* findKernel(root))
    const beneath = (folder: string, pattern: RegExp) =>
      Effect.map(listFolder(folder), (names) =>
        names.filter((name) => pattern.test(name)).map((name) => path.join(folder, name)))
    const kernels = (yield* beneath(root, /^[0-9a-f]{64}$/)).filter((folder) =>
      folder !== current?.folder
    )
    if (current === undefined) return kernels
    const agent = yield* Effect.option(Effect.flatMap(nativeTool("agent"), agentDigest))
    const inUse = path.join(current.folder, Option.match(agent, { onNone: () => "", onSome: initramfsName }))
    return Option.isNone(agent)
      ? kernels
      : [...kernels, ...(yield* beneath(current.folder, /^initrd-/)).filter((file) => !file.startsWith(inUse))]
  })
