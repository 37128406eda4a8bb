import { Effect, Option } from "effect"
import * as path from "node:path"
import { readJson } from "../system/files/atomic-file.ts"
import { listIfPresent, removeTree, statFile } from "../system/files/entries.ts"
import { type FileFailed, toHostError } from "../system/files/failure.ts"
import { withLock } from "../system/files/lock.ts"
import { Paths } from "../system/files/Paths.ts"
import { bytesBeneath, type CacheEntry } from "../system/files/usage.ts"
import { TemplateManifest } from "./driver/template-store.ts"

/** A removed template. */
interface RemovedTemplate {
  readonly kind: "template"
  /** Its folder. */
  readonly what: string
  readonly name: string
  readonly freedBytes: number
}

const removeTemplate = (folder: string): Effect.Effect<RemovedTemplate, FileFailed> =>
  Effect.suspend(() => {
    const freedBytes = bytesBeneath(folder)
    return Effect.as(removeTree(folder), {
      kind: "template" as const,
      what: folder,
      name: path.basename(folder),
      freedBytes
    })
  })

/** Removes the folders of the template store that `unwanted` picks by name, under the lock of their makers. */
const removeTemplates = (unwanted: (name: string, folder: string) => Effect.Effect<boolean>) =>
  Effect.gen(function*() {
    const store = path.join((yield* Paths).cacheDir, "templates")
    const removed: Array<RemovedTemplate> = []
    const names = yield* Effect.mapError(listIfPresent(store), toHostError)
    for (const name of names.filter((name) => !name.endsWith(".lock"))) {
      const folder = path.join(store, name)
      if (!(yield* unwanted(name, folder))) continue
      yield* removeTemplate(folder).pipe(
        Effect.tap((one) => Effect.sync(() => removed.push(one))),
        withLock(path.join(store, `${name.split(".")[0]}.lock`), { timeoutMs: 0 }),
        // Another process is making it, so it is no leftover.
        Effect.ignore
      )
    }
    return removed
  })

/** All templates, for an eviction. VMs that were restored from one continue. */
export const templateEntries = Effect.gen(function*() {
  const store = path.join((yield* Paths).cacheDir, "templates")
  const names = (yield* listIfPresent(store)).filter((name) => !/\.(lock|tmp)$/.test(name))
  return yield* Effect.forEach(names, (name) => {
    const folder = path.join(store, name)
    return Effect.map(statFile(folder), (stat): CacheEntry => ({
      kind: "template",
      name,
      bytes: bytesBeneath(folder),
      usedMs: stat?.mtimeMs ?? 0,
      remove: removeTree(folder).pipe(
        withLock(path.join(store, `${name}.lock`), { timeoutMs: 0 }),
        // A process that makes the template keeps it; without its tool, the lock cannot be taken.
        Effect.catchTags({ LockTimeout: () => Effect.void, HostToolMissing: () => Effect.void })
      )
    }))
  })
}).pipe(Effect.mapError(toHostError))

/** Removes leftovers of killed builds beside the templates. */
export const sweepTemplates = removeTemplates((name) => Effect.succeed(name.endsWith(".tmp")))

/** Removes the templates of environments that `keep` does not have, by digest. VMs that were restored from them continue. */
export const pruneTemplates = (keep: ReadonlySet<string>) =>
  removeTemplates((_, folder) =>
    readJson(path.join(folder, "manifest.json"), TemplateManifest).pipe(
      Effect.map((manifest) => Option.isNone(manifest) || !keep.has(manifest.value.environmentDigest)),
      Effect.orElseSucceed(() => true)
    )
  )
