import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { createHash, randomBytes } from "node:crypto"
import * as fs from "node:fs"
import * as path from "node:path"
import { sparseDigest } from "../../../../src/system/files/sparse-digest.ts"
import { scratch } from "../../lib/environment/scratch.ts"

const page = 4096
const piece = 16 * page

/** The digest by its definition: each piece with a byte that is not zero, after its offset. Reads the whole file. */
const byDefinition = (file: string) => {
  const content = fs.readFileSync(file)
  const hash = createHash("sha256")
  for (let at = 0; at < content.length; at += piece) {
    const one = content.subarray(at, at + piece)
    if (one.every((byte) => byte === 0)) continue
    const place = Buffer.alloc(8)
    place.writeBigUInt64BE(BigInt(at))
    hash.update(place).update(one)
  }
  return hash.digest("hex")
}

const write = (file: string, size: number, data: ReadonlyArray<readonly [at: number, bytes: Buffer]>) => {
  const fd = fs.openSync(file, "w")
  fs.ftruncateSync(fd, size)
  for (const [at, bytes] of data) fs.writeSync(fd, bytes, 0, bytes.length, at)
  fs.closeSync(fd)
}

describe("the digest of a sparse file", () => {
  it.live("the digest covers all data, wherever it begins and ends", () =>
    Effect.gen(function*() {
      const file = path.join(yield* scratch, "mem")
      const some = randomBytes(page)
      const layouts: ReadonlyArray<readonly [size: number, pages: ReadonlyArray<number>]> = [
        [0, []],
        [40 * page, []],
        [40 * page, [0, 39]],
        // Twice in one piece, over the border of two pieces, and in the last piece, which is short.
        [64 * page + 100, [1, 3, 15, 16, 47, 63]]
      ]
      for (const [size, pages] of layouts) {
        write(file, size, pages.map((at) => [at * page, some]))
        assert.strictEqual(yield* sparseDigest(file), byDefinition(file), pages.join())
      }
    }))

  it.live("written zeros have the digest of a hole", () =>
    Effect.gen(function*() {
      const folder = yield* scratch
      const [holes, zeros] = [path.join(folder, "holes"), path.join(folder, "zeros")]
      const some = randomBytes(page)
      write(holes, 80 * page, [[50 * page, some]])
      write(zeros, 80 * page, [[0, Buffer.alloc(80 * page)], [50 * page, some]])
      assert.strictEqual(yield* sparseDigest(zeros), yield* sparseDigest(holes))
    }))

  it.live("the same data at another place has another digest", () =>
    Effect.gen(function*() {
      const folder = yield* scratch
      const [one, other] = [path.join(folder, "one"), path.join(folder, "other")]
      const some = randomBytes(page)
      write(one, 80 * page, [[0, some]])
      write(other, 80 * page, [[piece, some]])
      assert.notStrictEqual(yield* sparseDigest(one), yield* sparseDigest(other))
    }))

  // At a gigabyte a second, a read of the hole would take an hour.
  it.live("the digest does not read holes", () =>
    Effect.gen(function*() {
      const file = path.join(yield* scratch, "mem")
      const size = 4 * 1024 ** 4
      write(file, size, [[size - page, randomBytes(page)]])
      assert.match(yield* sparseDigest(file), /^[0-9a-f]{64}$/)
    }))

  it.live("a file that is gone is damaged", () =>
    Effect.gen(function*() {
      const failure = yield* Effect.flip(sparseDigest(path.join(yield* scratch, "gone")))
      assert.strictEqual(failure._tag, "ImageDamaged")
    }))
})
