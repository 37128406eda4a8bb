import { Effect, Option, Schema } from "effect"
import * as path from "node:path"
import type { NoSpace, StateDirectoryUnusable } from "../../../contract/errors/errors.ts"
import { readJson, writeJsonAtomic } from "../../../system/files/atomic-file.ts"
import {
  ensureFolder,
  listFolder,
  removeFile,
  setTimes,
  statEntry,
  statExactly,
  statFile
} from "../../../system/files/entries.ts"
import { type FileFailed, toHostErrorOf } from "../../../system/files/failure.ts"
import type { CacheEntry } from "../../../system/files/usage.ts"
import { hostBootId } from "../../../system/processes/identity.ts"
import { nowMs } from "../../../system/waits/time.ts"

/** A disk image that a workspace starts from: read-only, named by its content, shared by all requests for the same source. */
export interface SeedImage {
  readonly path: string
  readonly digest: string
  readonly virtualBytes: number
}

const Loss = Schema.Struct({ count: Schema.Int, first: Schema.String })

/** Included and omitted files of a seed image. */
const Report = Schema.Struct({
  files: Schema.Int,
  directories: Schema.Int,
  symlinks: Schema.Int,
  /** Content of all regular files. */
  bytes: Schema.Int,
  /** Number of omitted paths. `skipped` has the first 1000. */
  skippedCount: Schema.Int,
  skipped: Schema.Array(Schema.Struct({ path: Schema.String, reason: Schema.String })),
  /** Properties of files that the image lacks. */
  losses: Schema.optionalKey(Schema.Struct({
    setIds: Schema.optionalKey(Loss),
    attributes: Schema.optionalKey(Loss)
  }))
})
export type SeedReport = typeof Report.Type

/** Note of the image that a source gave in one state. The file's modification time is the last use. */
const Known = Schema.Struct({
  digest: Schema.String.pipe(Schema.check(Schema.isPattern(/^[0-9a-f]{64}$/))),
  report: Report
})

/** None for a missing or unreadable note. */
const readNote = (file: string) => readJson(file, Known).pipe(Effect.orElseSucceed(Option.none<typeof Known.Type>))

/** Modification time of every sealed image in seconds, `seed_epoch` of native/seed/image.h. */
const sealSeconds = 1_577_836_800n

const sevenDigits = (hex: string) => Number.parseInt(hex.replaceAll("-", "").slice(0, 7), 16)

export interface SeedStore {
  readonly images: string
  readonly sources: string
}

/** Folders of the seed images in a cache directory, made when they are not there. */
export const openStore = (cacheDir: string): Effect.Effect<SeedStore, NoSpace | StateDirectoryUnusable> => {
  const images = path.join(cacheDir, "seeds")
  const sources = path.join(images, "sources")
  return Effect.mapBoth(ensureFolder(sources), {
    onSuccess: () => ({ images, sources }),
    onFailure: toHostErrorOf(images)
  })
}

export const imagePath = (store: SeedStore, digest: string) => path.join(store.images, `${digest}.ext4`)

/**
 * Whether the image is intact: sealed by pyro-seed in this boot of the host, or written to disk before. The seal is the
 * modification time (see `image_publish` in native/seed/image.h), which every write to the file changes.
 */
const isSealed = (image: SeedImage): Effect.Effect<boolean> =>
  statExactly(image.path).pipe(
    Effect.map((stat) => {
      if (stat === undefined || !stat.isFile() || stat.size !== BigInt(image.virtualBytes)) return false
      const digest = sevenDigits(image.digest)
      const nanoseconds = [digest ^ sevenDigits(hostBootId()), digest]
      return nanoseconds.some((wanted) => stat.mtimeNs === sealSeconds * 1_000_000_000n + BigInt(wanted))
    }),
    Effect.orElseSucceed(() => false)
  )

/** The image of a source with this fingerprint, if the image exists and is intact. Marks the image as used. */
export const lookUp = (store: SeedStore, fingerprint: string, virtualBytes: number) =>
  Effect.gen(function*() {
    const file = path.join(store.sources, `${fingerprint}.json`)
    const known = yield* readNote(file)
    if (Option.isNone(known)) return Option.none()
    const { digest, report } = known.value
    const image: SeedImage = { path: imagePath(store, digest), digest, virtualBytes }
    if (!(yield* isSealed(image))) {
      yield* Effect.ignore(removeFile(file))
      return Option.none()
    }
    const seconds = (yield* nowMs) / 1000
    yield* Effect.ignore(setTimes(file, seconds))
    return Option.some<{ readonly image: SeedImage; readonly report: SeedReport }>({ image, report })
  })

/** Notes the image of a source. Only an optimisation: after a failed write the next request makes the image again. */
export const remember = (store: SeedStore, fingerprint: string, known: typeof Known.Type) =>
  Effect.ignore(writeJsonAtomic(path.join(store.sources, `${fingerprint}.json`), Known, known))

export interface PruneOptions {
  /** Maximum disk space of the remaining images, 0 to remove all. */
  readonly keepBytes: number
}

export interface Pruned {
  readonly removed: ReadonlyArray<{ readonly digest: string; readonly bytes: number }>
  readonly keptBytes: number
}

/** Age of a temporary file that no running process is about to rename: a write takes milliseconds. */
const staleAfterMs = 60 * 60 * 1000

/** All seed images. The removal of one also removes the notes of its sources. */
export const seedEntries = (store: SeedStore): Effect.Effect<ReadonlyArray<CacheEntry>, FileFailed> =>
  Effect.gen(function*() {
    const notes = yield* notesOf(store)
    const cached = yield* Effect.forEach(yield* listFolder(store.images), (name) => cachedOf(store, name, notes))
    return cached.filter((one) => one !== undefined)
  })

/** Removes the least recently used images, with the notes of their sources, until the rest fits. */
export const pruneSeeds = (
  store: SeedStore,
  options: PruneOptions
): Effect.Effect<Pruned, NoSpace | StateDirectoryUnusable> =>
  Effect.gen(function*() {
    const newestFirst = [...yield* seedEntries(store)].sort((left, right) => right.usedMs - left.usedMs)
    const removed: Array<{ readonly digest: string; readonly bytes: number }> = []
    let keptBytes = 0
    for (const image of newestFirst) {
      if (keptBytes + image.bytes <= options.keepBytes && options.keepBytes > 0) {
        keptBytes += image.bytes
        continue
      }
      yield* image.remove
      removed.push({ digest: image.name, bytes: image.bytes })
    }
    const writtenBeforeMs = (yield* nowMs) - staleAfterMs
    for (const folder of [store.images, store.sources]) {
      for (const name of yield* listFolder(folder)) yield* dropStale(path.join(folder, name), writtenBeforeMs)
    }
    return { removed, keptBytes }
  }).pipe(Effect.mapError(toHostErrorOf(store.images)))

const notesOf = (store: SeedStore) =>
  Effect.gen(function*() {
    const names = yield* listFolder(store.sources)
    const files = names.filter((name) => name.endsWith(".json")).map((name) => path.join(store.sources, name))
    const notes = new Map<string, Array<string>>()
    for (const file of files) {
      const known = yield* readNote(file)
      if (Option.isNone(known)) yield* removeFile(file)
      else notes.set(known.value.digest, [...notes.get(known.value.digest) ?? [], file])
    }
    return notes
  })

const cachedOf = (store: SeedStore, name: string, notes: ReadonlyMap<string, ReadonlyArray<string>>) =>
  Effect.gen(function*() {
    const file = path.join(store.images, name)
    const stat = name.endsWith(".ext4") ? yield* statEntry(file) : undefined
    if (stat === undefined) return undefined
    const digest = name.slice(0, -".ext4".length)
    const own = notes.get(digest) ?? []
    const used = yield* Effect.forEach(own, (note) => Effect.map(statFile(note), (found) => found?.mtimeMs ?? 0))
    return {
      kind: "seed" as const,
      name: digest,
      // With another link to the image, the removal of this one frees nothing.
      bytes: stat.nlink > 1 ? 0 : stat.blocks * 512,
      usedMs: Math.max(stat.birthtimeMs, ...used),
      remove: Effect.forEach([...own, file], removeFile, { discard: true })
    }
  })

const dropStale = (file: string, writtenBeforeMs: number): Effect.Effect<void, FileFailed> =>
  Effect.gen(function*() {
    const stat = file.endsWith(".tmp") ? yield* statEntry(file) : undefined
    if (stat !== undefined && stat.mtimeMs < writtenBeforeMs) yield* removeFile(file)
  })
