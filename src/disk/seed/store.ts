import { Effect, Option, Schema } from "effect"
import * as path from "node:path"
import type { NoSpace, StateDirectoryUnusable } from "../../contract/errors/errors.ts"
import { readJson, writeJsonAtomic } from "../../system/files/atomic-file.ts"
import { removeFile, setTimes, statExactly } from "../../system/files/entries.ts"
import { ensureFolder } from "../../system/files/folders.ts"
import { toHostErrorOf } from "../../system/files/host-error.ts"
import { hostBootId } from "../../system/processes/identity.ts"
import { nowMs } from "../../system/waits/time.ts"
import type { SeedReport } from "./pyro-seed.ts"

/** A disk image that a workspace starts from: read-only, named by its content, shared by all requests for the same source. */
export interface SeedImage {
  readonly path: string
  readonly digest: string
  readonly virtualBytes: number
}

const Loss = Schema.Struct({ count: Schema.Int, first: Schema.String })

/** Note of the image that a source gave in one state. The file's modification time is the last use. */
const Known = Schema.Struct({
  digest: Schema.String.pipe(Schema.check(Schema.isPattern(/^[0-9a-f]{64}$/))),
  report: Schema.Struct({
    files: Schema.Int,
    directories: Schema.Int,
    symlinks: Schema.Int,
    bytes: Schema.Int,
    skippedCount: Schema.Int,
    skipped: Schema.Array(Schema.Struct({ path: Schema.String, reason: Schema.String })),
    losses: Schema.optionalKey(Schema.Struct({
      setIds: Schema.optionalKey(Loss),
      attributes: Schema.optionalKey(Loss)
    }))
  })
})

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
    const known = yield* readJson(file, Known).pipe(Effect.orElseSucceed(Option.none))
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

/** Digest a note names, or undefined when the note is not readable. */
export const digestOf = (file: string) =>
  readJson(file, Known).pipe(
    Effect.map((known) => Option.getOrUndefined(Option.map(known, ({ digest }) => digest))),
    Effect.orElseSucceed(() => undefined)
  )
