import { assert } from "@effect/vitest"
import { Effect } from "effect"
import * as fs from "node:fs"
import * as path from "node:path"
import { SeedImages } from "../../../src/disk/SeedImages.ts"
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
