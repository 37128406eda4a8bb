import { Effect } from "effect"
import * as path from "node:path"
import { type NoSpace, type StateDirectoryUnusable } from "../../contract/errors/errors.ts"
import type { CacheEntry } from "../../system/files/cache-entry.ts"
import { removeFile, statEntry, statFile } from "../../system/files/entries.ts"
import type { FileFailed } from "../../system/files/failure.ts"
import { listFolder } from "../../system/files/folders.ts"
import { toHostErrorOf } from "../../system/files/host-error.ts"
import { nowMs } from "../../system/waits/time.ts"
import { digestOf, type SeedStore } from "./store.ts"

export interface PruneOptions {
  /** Disk space that seed images may go on taking, 0 to remove all. */
  readonly keepBytes: number
}

export interface Pruned {
  readonly removed: ReadonlyArray<{ readonly digest: string; readonly bytes: number }>
  readonly keptBytes: number
}

/** A name of pyro's own that no living process can still be about to rename: writing takes milliseconds. */
const staleAfterMs = 60 * 60 * 1000

/** All seed images. The removal of one takes the notes of its sources along. */
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
      const digest = yield* digestOf(file)
      if (digest === undefined) {
        yield* removeFile(file)
      } else notes.set(digest, [...notes.get(digest) ?? [], file])
    }
    return notes
  })

const cachedOf = (
  store: SeedStore,
  name: string,
  notes: ReadonlyMap<string, ReadonlyArray<string>>
): Effect.Effect<CacheEntry | undefined, FileFailed> =>
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
      // Another name elsewhere holds the image: the removal of this name frees nothing.
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
