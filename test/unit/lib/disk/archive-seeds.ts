import { assert } from "@effect/vitest"
import { Effect } from "effect"
import * as fs from "node:fs"
import * as path from "node:path"
import { SeedImages } from "../../../../src/lib/disk/SeedImages.ts"
import { dump, fsckComplaint, listing } from "./inspect.ts"
import { withSeeds } from "./seeds.ts"
import { temporaryDirectory } from "./temporary-directory.ts"

/** Seeds from an archive whose bytes are given. */
export const seed = (directory: string, archive: Uint8Array, virtualMib = 64) =>
  Effect.suspend(() => {
    const file = path.join(directory, "archive")
    fs.writeFileSync(file, archive)
    return withSeeds(directory, Effect.flatMap(SeedImages, (seeds) => seeds.fromPath({ path: file, virtualMib })))
  })

/** Seeds from an archive; gives what is in the image, and what was left out of it. */
export const contents = (archive: Uint8Array) =>
  Effect.gen(function*() {
    const directory = yield* temporaryDirectory
    const { image, report } = yield* seed(directory, archive)
    assert.strictEqual(fsckComplaint(image.path), "")
    const [, ...lines] = listing(dump(image.path, path.join(directory, "dump")))
    return {
      lines: lines.map(readable),
      names: lines.map((line) => line.split(" ").slice(0, 2).join(" ")),
      skipped: report.skipped,
      image
    }
  }).pipe(Effect.scoped)

/** Makes a tree whose files differ in mode, size and name; with `long`, also names that need an extended header. */
export const sampleTree = (directory: string, { long = false }: { readonly long?: boolean } = {}) => {
  const tree = path.join(directory, "tree")
  fs.mkdirSync(path.join(tree, "a", "b"), { recursive: true })
  fs.writeFileSync(path.join(tree, "a", "file"), "content\n", { mode: 0o640 })
  fs.writeFileSync(path.join(tree, "a", "tool"), Buffer.alloc(300_000, "tool"))
  fs.chmodSync(path.join(tree, "a", "tool"), 0o4755)
  fs.symlinkSync("../../outside", path.join(tree, "a", "b", "link"))
  fs.writeFileSync(path.join(tree, "empty"), "")
  if (!long) return tree
  const deep = path.join(tree, "d".repeat(120), "e".repeat(120))
  fs.mkdirSync(deep, { recursive: true })
  fs.writeFileSync(path.join(deep, "日本"), "deep")
  fs.writeFileSync(path.join(deep, "f".repeat(200)), "deep")
  fs.symlinkSync("t".repeat(200), path.join(deep, "long-link"))
  return tree
}

/** The listings of a seed from an archive of `sampleTree`, and of the tree without setuid, each with the root first. */
export const listings = (directory: string, tree: string, archive: Uint8Array) =>
  Effect.gen(function*() {
    const { image, report } = yield* seed(directory, archive)
    assert.deepStrictEqual(report.skipped, [])
    assert.strictEqual(fsckComplaint(image.path), "")
    fs.chmodSync(path.join(tree, "a", "tool"), 0o755)
    return { seeded: listing(dump(image.path, path.join(directory, "dump"))), expected: listing(tree) }
  })

/** Names that lead out of an archive. */
export const EVIL_NAMES = ["../up", "/etc/passwd", "a/../../up", "a/..", "..", "//x", "a/../b", "./../x"]

/** Asserts that a seed from an archive has the file `good` alone, and reports each name that leads out. */
export const leavesOut = (archive: Uint8Array, names: ReadonlyArray<string>) =>
  Effect.map(contents(archive), ({ names: seeded, skipped }) => {
    assert.deepStrictEqual(seeded, ["f good"])
    assert.sameMembers(skipped.map(({ path }) => path), [...names])
    for (const { reason } of skipped) assert.include(reason, "leads out of the archive")
  })

/** Numbers from `first` to before `end`. */
export const steps = (first: number, end: number, step: number) =>
  Array.from({ length: Math.ceil((end - first) / step) }, (_, index) => first + index * step)

/** Asserts that an archive is refused when it is cut at each of these lengths. */
export const refusedAt = (whole: Uint8Array, lengths: Iterable<number>) =>
  Effect.forEach(
    lengths,
    (length) =>
      Effect.map(rejection(whole.subarray(0, length)), ({ _tag }) =>
        assert.strictEqual(_tag, "SeedRejected", `cut at ${length}`)),
    { discard: true }
  )

/** Asserts that damaged copies of an archive are refused, or give a sound image. `damage` changes a copy, by the round. */
export const survivesDamage = (
  whole: Uint8Array,
  rounds: number,
  damage: (copy: Buffer, round: number) => void
) =>
  Effect.gen(function*() {
    const directory = yield* temporaryDirectory
    for (let round = 0; round < rounds; round++) {
      const copy = Buffer.from(whole)
      damage(copy, round)
      const result = yield* Effect.result(seed(directory, copy, 16))
      if (result._tag === "Success") assert.strictEqual(fsckComplaint(result.success.image.path), "")
      else assert.include(["SeedRejected", "NoSpace"], result.failure._tag, `round ${round}`)
    }
  }).pipe(Effect.scoped)

/** Changes one byte, another one in each round. */
export const flip = (copy: Buffer, at: number, round: number) => {
  copy[at] = (copy[at]! + 1 + round * 13) % 256
}

/** A line of a listing with a file's content as text. */
const readable = (line: string) =>
  line.startsWith("f ") ? line.replace(/\S+$/, (content) => Buffer.from(content, "base64").toString()) : line

/** How seeding from an archive fails; the failure leaves nothing behind. */
export const rejection = (archive: Uint8Array, virtualMib = 64) =>
  Effect.gen(function*() {
    const directory = yield* temporaryDirectory
    const failure = yield* Effect.flip(seed(directory, archive, virtualMib))
    assert.deepStrictEqual(fs.readdirSync(path.join(directory, "seeds")), ["sources"], "something was left behind")
    assert.deepStrictEqual(fs.readdirSync(path.join(directory, "seeds", "sources")), [])
    return failure
  }).pipe(Effect.scoped)
