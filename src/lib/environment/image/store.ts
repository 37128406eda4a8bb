import { Effect, Option, Schema } from "effect"
import * as path from "node:path"
import { ImageDamaged } from "../../../contract/errors/errors.ts"
import { readJson, recall, syncContent, writeJsonAtomic } from "../../../system/files/atomic-file.ts"
import { CheckedFile, checkFile, describeFile } from "../../../system/files/digest.ts"
import {
  ensureFolder,
  exists,
  listIfPresent,
  makeFolder,
  removeFile,
  renameFile,
  setMode
} from "../../../system/files/entries.ts"
import type { FileFailed } from "../../../system/files/failure.ts"
import { withLock } from "../../../system/files/lock.ts"
import { removeTree } from "../../../system/files/remove-tree.ts"
import { bytesBeneath } from "../../../system/files/usage.ts"
import { nowIso } from "../../../system/waits/time.ts"

/** Fields of a manifest that every use of an image reads. Reading the list of packages would take most of the time. */
const ManifestHead = Schema.Struct({
  format: Schema.Literal(1),
  /** Environment name of the build. */
  name: Schema.String,
  /** SHA-256 of the image file: the name of its folder. */
  digest: Schema.String,
  /** Digest of the recipe (see `recipeOf`). */
  recipe: Schema.String,
  kernelVersion: Schema.String,
  /** Time of the build on this host, ISO 8601. */
  created: Schema.String,
  image: CheckedFile
})
type ManifestHead = typeof ManifestHead.Type

/** Sources of an image, beside it in its folder. */
const Manifest = Schema.Struct({
  ...ManifestHead.fields,
  /** Digest of the kernel package's pieces. */
  kernel: Schema.String,
  /** Lines of the build's sources.list. */
  sources: Schema.Array(Schema.String),
  /** All Debian packages in the image, sorted. */
  packages: Schema.Array(Schema.Struct({ name: Schema.String, version: Schema.String }))
})
type Manifest = typeof Manifest.Type

/** Image of an environment's name. */
const NameRecord = Schema.Struct({ format: Schema.Literal(1), name: Schema.String, digest: Schema.String })
type NameRecord = typeof NameRecord.Type

/** Reads lines of `name=version`, the format of the build's package list. */
export const parsePackages = (text: string): Manifest["packages"] =>
  text.split("\n").filter((line) => line !== "").map((line) => {
    const [name = "", version = ""] = line.split("=", 2)
    return { name, version }
  })

/** An image in the cache. */
export interface StoredImage {
  readonly path: string
  readonly manifest: ManifestHead
}

/** Removes images that no name points to, and names that cannot be read. The caller has the lock of the store. */
const removeUnnamed = (root: string, names: string) =>
  Effect.gen(function*() {
    const used = new Set<string>()
    for (const file of (yield* listIfPresent(names)).filter((name) => name.endsWith(".json"))) {
      // A pointer that cannot be read points to nothing: its environment is built anew anyway.
      const pointer = yield* Effect.option(readJson(path.join(names, file), NameRecord))
      const digest = Option.getOrUndefined(Option.flatten(pointer))?.digest
      if (digest !== undefined) used.add(digest)
      else yield* removeFile(path.join(names, file))
    }
    const removed = (yield* listIfPresent(root)).filter((name) => /^[0-9a-f]{64}$/.test(name) && !used.has(name))
    let freedBytes = 0
    for (const digest of removed) {
      freedBytes += bytesBeneath(path.join(root, digest))
      yield* removeTree(path.join(root, digest))
    }
    return { removed, freedBytes }
  })

/**
 * Images by the hash of their content (`<digest>/root.erofs` and `manifest.json`), and names that point to them. A folder gets its
 * name only when it is complete.
 */
export const imageStore = (root: string) => {
  const names = path.join(root, "names")
  const temporaries = path.join(root, "tmp")
  const home = (digest: string) => path.join(root, digest)
  const nameFile = (name: string) => path.join(names, `${name}.json`)
  /** A lock against sweeps of unnamed images between the move of an image and the write of its name. */
  const exclusively = withLock(path.join(root, "store.lock"), { timeoutMs: 5 * 60_000 })
  const manifestOf = (digest: string) => path.join(home(digest), "manifest.json")
  const imageOf = (digest: string) => path.join(home(digest), "root.erofs")

  /** Image that a name points to, checked; none when there is none. */
  const find = (
    name: string,
    options: { readonly thorough: boolean }
  ): Effect.Effect<Option.Option<StoredImage>, ImageDamaged> =>
    Effect.gen(function*() {
      const pointer = yield* recall(nameFile(name), readJson(nameFile(name), NameRecord)).pipe(damage)
      if (Option.isNone(pointer)) return Option.none()
      const { digest } = pointer.value
      const manifest = yield* recall(manifestOf(digest), read(digest, ManifestHead))
      const image = yield* checkFile(imageOf(digest), manifest.image, options)
      if (image !== manifest.image) {
        const whole = yield* read(digest, Manifest)
        yield* writeJsonAtomic(manifestOf(digest), Manifest, { ...whole, image }).pipe(damage)
      }
      return Option.some({ path: imageOf(digest), manifest: { ...manifest, image } })
    })

  const read = <A, I>(digest: string, schema: Schema.Codec<A, I>) =>
    readJson(manifestOf(digest), schema).pipe(
      damage,
      Effect.flatMap(Option.match({
        onNone: () => new ImageDamaged({ path: home(digest), detail: "it is gone or incomplete" }),
        onSome: Effect.succeed
      }))
    )

  /** Manifest of an image, with its list of Debian packages. */
  const wholeManifest = (digest: string) => read(digest, Manifest)

  /** Debian packages inside an image. */
  const packagesIn = (digest: string) => Effect.map(wholeManifest(digest), ({ packages }) => packages)

  /** Moves a finished image into the store and points the name to it. */
  const add = (work: string, image: string, facts: Omit<Manifest, "format" | "digest" | "image" | "created">) =>
    Effect.gen(function*() {
      const folder = path.join(work, "store")
      const file = path.join(folder, "root.erofs")
      yield* makeFolder(folder)
      yield* renameFile(image, file)
      yield* setMode(file, 0o444)
      // After a power cut, no name may point to content that was not written.
      const [, described] = yield* Effect.all([syncContent(file), describeFile(file)], { concurrency: 2 })
      const manifest: Manifest = {
        ...facts,
        format: 1,
        digest: described.sha256,
        created: yield* nowIso,
        image: described
      }
      yield* writeJsonAtomic(path.join(folder, "manifest.json"), Manifest, manifest, { durable: true })
      const target = home(manifest.digest)
      return yield* exclusively(Effect.gen(function*() {
        // An image with this digest may exist: built under another name, or damaged. Processes that have it open keep it.
        yield* removeTree(target)
        yield* renameFile(folder, target)
        yield* ensureFolder(names)
        const pointer: NameRecord = { format: 1, name: facts.name, digest: manifest.digest }
        yield* writeJsonAtomic(nameFile(facts.name), NameRecord, pointer, { durable: true })
        return { path: imageOf(manifest.digest), manifest } satisfies StoredImage
      }))
    })

  /** Removes a name. The image stays until `sweep`, since another name may point to it. */
  const forget = (name: string) => removeFile(nameFile(name))

  /** The same for all names of a kind. */
  const forgetAll = (of: (name: string) => boolean) =>
    Effect.gen(function*() {
      for (const file of yield* listIfPresent(names)) {
        if (file.endsWith(".json") && of(file.slice(0, -".json".length))) yield* removeFile(path.join(names, file))
      }
    })

  /** Removes images that no name points to; gives their digests and the bytes. */
  const sweep = Effect.suspend(() =>
    exists(root) ? exclusively(removeUnnamed(root, names)) : Effect.succeed({ removed: [], freedBytes: 0 })
  )

  return { add, find, wholeManifest, packagesIn, forget, forgetAll, sweep, temporaries }
}

const damage = <A, R>(effect: Effect.Effect<A, FileFailed, R>) =>
  Effect.mapError(
    effect,
    ({ path }) => new ImageDamaged({ path, detail: "it is not what this version of pyro writes" })
  )
