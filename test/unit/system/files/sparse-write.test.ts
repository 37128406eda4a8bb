import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { randomBytes } from "node:crypto"
import * as fs from "node:fs"
import * as path from "node:path"
import { openFile } from "../../../../src/system/files/content.ts"
import { sparseFile } from "../../../../src/system/files/sparse-write.ts"
import { scratch } from "../../lib/environment/scratch.ts"

const page = 4096

/** Writes `content` in pieces of `pieceBytes` to a new file. */
const write = (file: string, content: Buffer, pieceBytes: number) =>
  Effect.scoped(Effect.gen(function*() {
    const target = sparseFile(yield* openFile(file, "wx"), file)
    for (let at = 0; at < content.length; at += pieceBytes) {
      yield* target.write(content.subarray(at, at + pieceBytes))
    }
    yield* target.end
    return fs.statSync(file).blocks * 512
  }))

/** `pages` pages of zeros, with bytes at some places. */
const zerosWith = (pages: number, ...data: ReadonlyArray<readonly [at: number, bytes: Buffer]>) => {
  const content = Buffer.alloc(pages * page)
  for (const [at, bytes] of data) bytes.copy(content, at)
  return content
}

describe("a file in order", () => {
  it.live("has the bytes that it was given, however they are cut, and no blocks for pages of zeros", () =>
    Effect.gen(function*() {
      const folder = yield* scratch
      const one = Buffer.from([1])
      const contents = [
        Buffer.alloc(0),
        one,
        randomBytes(3 * page + 5),
        zerosWith(64),
        Buffer.concat([zerosWith(64), one]),
        zerosWith(256, [page - 1, one], [20 * page, one], [200 * page + 7, randomBytes(3 * page)], [
          256 * page - 1,
          one
        ]),
        zerosWith(256).subarray(3)
      ]
      for (const [at, content] of contents.entries()) {
        for (const pieceBytes of [1000, page, 65_536, 1_000_003]) {
          const file = path.join(folder, `${at}-${pieceBytes}`)
          const taken = yield* write(file, content, pieceBytes)
          assert.isTrue(fs.readFileSync(file).equals(content), file)
          assert.isAtMost(taken, 16 * page, file)
        }
      }
    }))
})
