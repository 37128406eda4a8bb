import { Effect, Option, Schema } from "effect"
import { randomBytes } from "node:crypto"
import * as path from "node:path"
import { readJson, writeJsonAtomic } from "../../../system/files/atomic-file.ts"
import { CheckedFile, checkFile, describeFile } from "../../../system/files/digest.ts"
import {
  ensureFolder,
  listIfPresent,
  makeFolder,
  renameFile,
  setTimes,
  statFile
} from "../../../system/files/entries.ts"
import { type FileFailed, toHostError } from "../../../system/files/failure.ts"
import { withLock } from "../../../system/files/lock.ts"
import { Paths } from "../../../system/files/Paths.ts"
import { removeTree } from "../../../system/files/remove-tree.ts"
import { sparseDigest } from "../../../system/files/sparse-digest.ts"
import { bytesBeneath, type CacheEntry } from "../../../system/files/usage.ts"
import { deadlineScale } from "../../../system/settings/deadline-scale.ts"
import { nowIso, nowMs } from "../../../system/waits/time.ts"
import { failedAt, fileFailedAt } from "./failure.ts"
import { type Frozen, frozenIn, overlayIn } from "./machine.ts"

/** Manifest in a template's folder. */
const TemplateManifest = Schema.Struct({
  key: Schema.String,
  createdAt: Schema.String,
  memory: CheckedFile,
  state: CheckedFile,
  /** Overlay of the workspace disk, if the disk is mounted in the template. */
  overlay: Schema.optional(CheckedFile),
  /** Digest of its environment. */
  environmentDigest: Schema.String
})

/** Maximum time that one process waits for another process that makes the same template. */
const buildTimeoutMs = 5 * 60_000 * deadlineScale

const describe = (file: string) => Effect.mapError(describeFile(file, sparseDigest), failedAt("template"))

/** The files of a template, with an overlay if it has one. */
const templateIn = (directory: string, { overlay }: { readonly overlay?: unknown }): Frozen =>
  overlay === undefined ? frozenIn(directory) : { ...frozenIn(directory), overlayPath: overlayIn(directory) }

/** The frozen guest of a key. Undefined if it is missing or damaged. */
const find = (directory: string) =>
  Effect.gen(function*() {
    const file = path.join(directory, "manifest.json")
    const manifest = Option.getOrUndefined(yield* readJson(file, TemplateManifest))
    if (manifest === undefined) return undefined
    const files = frozenIn(directory)
    const check = (path: string, known: typeof CheckedFile.Type) =>
      checkFile(path, known, { thorough: false, digest: sparseDigest })
    const memory = yield* check(files.memoryPath, manifest.memory)
    const state = yield* check(files.statePath, manifest.state)
    const overlay = manifest.overlay && (yield* check(overlayIn(directory), manifest.overlay))
    // A copied cache has new times and inodes. The content is verified now, so the next run need not read it again.
    if (memory !== manifest.memory || state !== manifest.state || overlay !== manifest.overlay) {
      yield* writeJsonAtomic(file, TemplateManifest, { ...manifest, memory, state, overlay })
    }
    // Evictions start with the least recently used template.
    yield* Effect.ignore(setTimes(directory, (yield* nowMs) / 1000))
    return templateIn(directory, manifest)
  }).pipe(
    // Damage is no error: an unusable template is made again.
    Effect.catch((damage) => Effect.as(Effect.logDebug(`template not used: ${damage.message}`), undefined))
  )

/** Removes a template, for instance one that fails to start. */
export const discardTemplate = (key: string) =>
  Effect.flatMap(Paths, ({ cacheDir }) => Effect.ignoreCause(removeTree(path.join(cacheDir, "templates", key))))

/**
 * The frozen guest of `key`. If it is missing or damaged, `build` makes it: it writes `mem`, `state` and perhaps `overlay` into the given
 * folder. One process makes it, and others wait for it. A killed build leaves nothing under the key.
 */
export const ensureTemplate = <E, R>(
  key: string,
  environmentDigest: string,
  build: (directory: string) => Effect.Effect<Frozen, E, R>,
  /** Runs before a wait for the template, which this caller or another one makes. */
  onAbsent: Effect.Effect<void> = Effect.void
) =>
  Effect.gen(function*() {
    const { cacheDir } = yield* Paths
    const folder = path.join(cacheDir, "templates")
    const directory = path.join(folder, key)
    const there = yield* find(directory)
    if (there !== undefined) return there
    yield* onAbsent
    const unlessRefused = Effect.mapError(fileFailedAt("template", folder))
    yield* unlessRefused(ensureFolder(folder))
    return yield* Effect.gen(function*() {
      const meanwhile = yield* find(directory)
      if (meanwhile !== undefined) return meanwhile
      const temporary = path.join(folder, `${key}.${randomBytes(4).toString("hex")}.tmp`)
      return yield* Effect.acquireUseRelease(
        unlessRefused(makeFolder(temporary)),
        () =>
          Effect.gen(function*() {
            const frozen = yield* build(temporary)
            yield* writeJsonAtomic(path.join(temporary, "manifest.json"), TemplateManifest, {
              key,
              createdAt: yield* nowIso,
              memory: yield* describe(frozen.memoryPath),
              state: yield* describe(frozen.statePath),
              ...(frozen.overlayPath !== undefined && { overlay: yield* describe(frozen.overlayPath) }),
              environmentDigest
            }).pipe(Effect.mapError(failedAt("template")))
            yield* unlessRefused(Effect.andThen(removeTree(directory), renameFile(temporary, directory)))
            return templateIn(directory, { overlay: frozen.overlayPath })
          }),
        () => Effect.ignoreCause(removeTree(temporary))
      )
    }).pipe(
      Effect.exit,
      withLock(path.join(folder, `${key}.lock`), { timeoutMs: buildTimeoutMs }),
      Effect.mapError((cause) =>
        cause._tag === "LockTimeout"
          ? failedAt("template")(cause)
          : cause._tag === "FileFailed"
          ? fileFailedAt("template", folder)(cause)
          : cause
      ),
      Effect.flatten
    )
  })

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
