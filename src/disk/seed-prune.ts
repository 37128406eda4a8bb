import { Effect } from "effect"
import * as fs from "node:fs"
import * as path from "node:path"
import { StateDirectoryUnusable } from "../contract/errors.ts"
import { nowMs } from "../system/time.ts"
import { digestOf, type SeedStore } from "./seed-store.ts"

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

interface Cached {
  readonly digest: string
  readonly file: string
  /** Space on disk; 0 while somebody else holds the image, because removing its name here would free nothing. */
  readonly bytes: number
  readonly usedMs: number
  readonly notes: ReadonlyArray<string>
}

/** Removes images least recently used first until the rest fits, and with each what is known of its sources. */
export const pruneSeeds = (store: SeedStore, options: PruneOptions): Effect.Effect<Pruned, StateDirectoryUnusable> =>
  Effect.gen(function*() {
    const notes = yield* notesOf(store)
    const cached = yield* listed(store.images, (name) => cachedOf(store, name, notes))
    const newestFirst = cached.sort((left, right) => right.usedMs - left.usedMs)
    const removed: Array<{ readonly digest: string; readonly bytes: number }> = []
    let keptBytes = 0
    for (const image of newestFirst) {
      if (keptBytes + image.bytes <= options.keepBytes && options.keepBytes > 0) {
        keptBytes += image.bytes
        continue
      }
      for (const file of [...image.notes, image.file]) fs.rmSync(file, { force: true })
      removed.push({ digest: image.digest, bytes: image.bytes })
    }
    const writtenBeforeMs = (yield* nowMs) - staleAfterMs
    for (const folder of [store.images, store.sources]) {
      yield* listed(folder, (name) => dropStale(path.join(folder, name), writtenBeforeMs))
    }
    return { removed, keptBytes }
  })

const listed = <A>(folder: string, take: (name: string) => A | undefined) =>
  Effect.try({
    try: () => fs.readdirSync(folder).map(take).filter((value): value is A & {} => value !== undefined),
    catch: (cause) => new StateDirectoryUnusable({ path: folder, detail: String(cause) })
  })

const notesOf = (store: SeedStore) =>
  Effect.gen(function*() {
    const files = yield* listed(store.sources, (name) =>
      name.endsWith(".json") ? path.join(store.sources, name) : undefined)
    const notes = new Map<string, Array<string>>()
    for (const file of files) {
      const digest = yield* digestOf(file)
      if (digest === undefined) {
        fs.rmSync(file, { force: true })
      } else notes.set(digest, [...notes.get(digest) ?? [], file])
    }
    return notes
  })

const cachedOf = (
  store: SeedStore,
  name: string,
  notes: ReadonlyMap<string, ReadonlyArray<string>>
): Cached | undefined => {
  if (!name.endsWith(".ext4")) return undefined
  const file = path.join(store.images, name)
  const stat = fs.lstatSync(file, { throwIfNoEntry: false })
  if (stat === undefined) return undefined
  const digest = name.slice(0, -".ext4".length)
  const own = notes.get(digest) ?? []
  const used = own.map((note) => fs.statSync(note, { throwIfNoEntry: false })?.mtimeMs ?? 0)
  return {
    digest,
    file,
    bytes: stat.nlink > 1 ? 0 : stat.blocks * 512,
    usedMs: Math.max(stat.birthtimeMs, ...used),
    notes: own
  }
}

const dropStale = (file: string, writtenBeforeMs: number): undefined => {
  if (!file.endsWith(".tmp")) return
  const stat = fs.lstatSync(file, { throwIfNoEntry: false })
  if (stat !== undefined && stat.mtimeMs < writtenBeforeMs) fs.rmSync(file, { force: true })
}
