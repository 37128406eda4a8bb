import { Context, Effect, Layer, Option, type Scope } from "effect"
import { createHash } from "node:crypto"
import * as path from "node:path"
import { type NoSpace, SeedRejected, type StateDirectoryUnusable } from "../../contract/errors/errors.ts"
import { statFile } from "../../system/files/entries.ts"
import { toHostErrorOf } from "../../system/files/failure.ts"
import { Paths } from "../../system/files/Paths.ts"
import type { CacheEntry } from "../../system/files/usage.ts"
import { makeSpareProcess, type SpareProcess } from "../../system/processes/child.ts"
import {
  awaiting,
  type Graft,
  makeSeed,
  type Owner,
  type SeedFailed,
  type SeedResult,
  type SeedSource
} from "./seed/pyro-seed.ts"
import {
  imagePath,
  lookUp,
  openStore,
  type Pruned,
  type PruneOptions,
  pruneSeeds,
  remember,
  seedEntries,
  type SeedImage,
  type SeedReport,
  type SeedStore
} from "./seed/store.ts"

export { attributesLost, type Graft, type Owner, type SeedFailed } from "./seed/pyro-seed.ts"
export type { SeedImage, SeedReport } from "./seed/store.ts"

export interface FromPath {
  /** A directory, a tar archive (plain, or compressed with gzip, zstd, xz, bzip2 or lz4), or a zip or 7z archive. Without links on the path. */
  readonly path: string
  /** Size of the disk as the guest sees it. */
  readonly virtualMib: number
  /** NUL-terminated paths below a directory to include. Absent: all of them. */
  readonly list?: Uint8Array | undefined
  /** Files to add to the image. */
  readonly additions?: Additions | undefined
  /** Owner of all files in the image. @default root */
  readonly owner?: Owner | undefined
}

/** Directories to add to an image. They are made only if the cache has no such image. */
interface Additions {
  /** Equal keys mean equal directories. */
  readonly key: string
  /** Makes the directories. They may vanish when the Scope closes, after the image is made. */
  readonly make: Effect.Effect<ReadonlyArray<Graft>, SeedFailed, Scope.Scope>
}

interface FromKey {
  /** Names the content, as a commit's id does: equal keys give the same image. */
  readonly key: string
  readonly virtualMib: number
  /** Owner of all files in the image. @default root */
  readonly owner?: Owner | undefined
  /** Makes the tar archive of this key, and the files to add to it. */
  readonly make: Effect.Effect<
    { readonly archive: string; readonly grafts: ReadonlyArray<Graft> },
    SeedFailed,
    Scope.Scope
  >
}

interface Seeded {
  readonly image: SeedImage
  readonly report: SeedReport
}

/** To be raised with `format_name` of native/seed/digest.c. */
const formatVersion = 2

/**
 * Seed images in the cache: ext4 with `upper`, `work` and `workspace`, made without a VM, read-only, named by content. The cache
 * may evict an image at any moment. Link an image with `linkImage` to keep it.
 */
export class SeedImages extends Context.Service<SeedImages, {
  /** The image with nothing in its workspace; made once per size and owner. */
  readonly empty: (virtualMib: number, owner?: Owner) => Effect.Effect<SeedImage, SeedFailed>
  /**
   * An image with a copy of the path's content. An unchanged source gives the same image without another read. As in git, a change
   * is a change of size, inode, modification time or change time, so a write through a memory mapping may stay unseen for a while.
   * Special and unreadable files are left out and reported.
   */
  readonly fromPath: (options: FromPath) => Effect.Effect<Seeded, SeedFailed>
  /** The image of the key. The source is requested only if the image is absent. */
  readonly fromKey: (options: FromKey) => Effect.Effect<Seeded, SeedFailed>
  /** All images, for an eviction. */
  readonly entries: Effect.Effect<ReadonlyArray<CacheEntry>, NoSpace | StateDirectoryUnusable>
  /** Removes the least recently used images until the rest is within the budget. */
  readonly prune: (options: PruneOptions) => Effect.Effect<Pruned, NoSpace | StateDirectoryUnusable>
}>()("pyro/disk/SeedImages") {
  static readonly layer = Layer.effect(
    SeedImages,
    Effect.zipWith(Paths, makeSpareProcess(awaiting), ({ cacheDir }, spare) => make(cacheDir, spare))
  )
}

const make = (cacheDir: string, spare: SpareProcess) => ({
  empty: (virtualMib: number, owner?: Owner) =>
    Effect.flatMap(openStore(cacheDir), (store) => emptyImage(store, virtualMib, owner)).pipe(
      Effect.map(({ image }) => image)
    ),
  fromPath: (options: FromPath) =>
    Effect.gen(function*() {
      const source = yield* sourceOf(options)
      const store = yield* openStore(cacheDir)
      return yield* imageOf(store, source, options, spare)
    }),
  fromKey: (options: FromKey) => Effect.flatMap(openStore(cacheDir), (store) => keyedImage(store, options)),
  entries: Effect.flatMap(
    openStore(cacheDir),
    (store) => Effect.mapError(seedEntries(store), toHostErrorOf(store.images))
  ),
  prune: (options: PruneOptions) => Effect.flatMap(openStore(cacheDir), (store) => pruneSeeds(store, options))
})

const bytesOf = (virtualMib: number) => virtualMib * 1024 * 1024

/** Part of a fingerprint. Empty for root, so that older images of root stay known. */
const ownerText = (owner: Owner | undefined, before: string) =>
  owner === undefined ? "" : `${before}${owner.uid}-${owner.gid}`

const emptyImage = (store: SeedStore, virtualMib: number, owner: Owner | undefined) =>
  knownOrMade(
    store,
    `empty-${formatVersion}-${virtualMib}${ownerText(owner, "-")}`,
    virtualMib,
    makeSeed({ source: { _tag: "empty" }, virtualMib, into: store.images, owner })
  )

const keyedImage = (store: SeedStore, { key, make, owner, virtualMib }: FromKey) => {
  const named = `key ${formatVersion} ${virtualMib} ${key}${ownerText(owner, " owner ")}`
  const fingerprint = createHash("sha256").update(named).digest("hex")
  const made = Effect.flatMap(
    make,
    ({ archive, grafts }) =>
      makeSeed({ source: { _tag: "archive", path: archive }, virtualMib, into: store.images, grafts, owner })
  )
  return knownOrMade(store, fingerprint, virtualMib, Effect.scoped(made))
}

const knownOrMade = <E>(
  store: SeedStore,
  fingerprint: string,
  virtualMib: number,
  make: Effect.Effect<SeedResult, E>
) =>
  Effect.flatMap(
    lookUp(store, fingerprint, bytesOf(virtualMib)),
    Option.match({
      onNone: () => Effect.flatMap(make, (result) => seededBy(store, result, virtualMib, fingerprint)),
      onSome: (known) => Effect.succeed(known)
    })
  )

const imageOf = (store: SeedStore, source: SeedSource, options: FromPath, spare: SpareProcess) =>
  Effect.gen(function*() {
    const { additions, owner, virtualMib } = options
    const request = { source, virtualMib, into: store.images, salt: additions?.key, owner }
    const first = yield* makeSeed({ ...request, known: store.sources, probe: additions !== undefined }, spare)
    if (Option.isNone(first.made) && Option.isSome(first.fingerprint)) {
      const known = yield* lookUp(store, first.fingerprint.value.hex, bytesOf(virtualMib))
      if (Option.isSome(known)) return known.value
    }
    // The note exists, but its image is gone or damaged: `lookUp` has removed the note.
    const result = Option.isSome(first.made)
      ? first
      : yield* Effect.scoped(
        Effect.flatMap(additions?.make ?? Effect.succeed([]), (grafts) => makeSeed({ ...request, grafts }))
      )
    const settled = Option.filter(result.fingerprint, ({ settled }) => settled)
    return yield* seededBy(store, result, virtualMib, Option.getOrUndefined(settled)?.hex)
  })

/** The image that pyro-seed made. Notes the image under the fingerprint, if there is one. */
const seededBy = (store: SeedStore, { made }: SeedResult, virtualMib: number, fingerprint: string | undefined) =>
  Effect.gen(function*() {
    if (Option.isNone(made)) {
      return yield* new SeedRejected({ path: store.images, detail: "pyro-seed made no image" })
    }
    const { digest, report } = made.value
    if (fingerprint !== undefined) yield* remember(store, fingerprint, { digest, report })
    return { image: { path: imagePath(store, digest), digest, virtualBytes: bytesOf(virtualMib) }, report }
  })

const sourceOf = (options: FromPath): Effect.Effect<SeedSource, SeedRejected> =>
  Effect.gen(function*() {
    const rejected = (detail: string) => new SeedRejected({ path: options.path, detail })
    const source = path.resolve(options.path)
    const stat = yield* Effect.mapError(statFile(source), ({ detail }) => rejected(detail))
    if (stat === undefined) return yield* rejected("there is no such file or directory")
    return stat.isDirectory()
      ? { _tag: "directory" as const, path: source, hasNoLinks: true, list: options.list }
      : { _tag: "archive" as const, path: source, hasNoLinks: true }
  })
