import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as fs from "node:fs"
import * as path from "node:path"
import { ImageDamaged } from "../../../../src/contract/errors/errors.ts"
import { checkFile, describeFile } from "../../../../src/system/files/digest.ts"
import { scratch } from "../../lib/environment/scratch.ts"

const cheap = { thorough: false }
const thorough = { thorough: true }

/** A file and what it was when it was described. */
const described = Effect.gen(function*() {
  const file = path.join(yield* scratch, "image")
  fs.writeFileSync(file, Buffer.alloc(3_000_000, 7))
  return { file, known: yield* describeFile(file) }
})

/** Changes one byte and puts the times back, as bad memory or a careless tool would. */
const flipByte = (file: string) => {
  const { atime, mtime } = fs.statSync(file)
  const handle = fs.openSync(file, "r+")
  fs.writeSync(handle, Buffer.from([8]), 0, 1, 1_500_000)
  fs.closeSync(handle)
  fs.utimesSync(file, atime, mtime)
}

describe("a checked file", () => {
  it.live("both checks accept an unchanged file", () =>
    Effect.gen(function*() {
      const { file, known } = yield* described
      assert.strictEqual(yield* checkFile(file, known, cheap), known)
      assert.deepStrictEqual(yield* checkFile(file, known, thorough), known)
    }))

  it.live("both checks accept a copied file, which gets a new description", () =>
    Effect.gen(function*() {
      const { file, known } = yield* described
      fs.copyFileSync(file, `${file}.copy`)
      fs.renameSync(`${file}.copy`, file)
      const now = yield* checkFile(file, known, cheap)
      assert.strictEqual(now.sha256, known.sha256)
      assert.notStrictEqual(now.inode, known.inode)
      assert.strictEqual(yield* checkFile(file, now, cheap), now)
    }))

  it.live("the cheap check reports a file that is gone, cut short or written to", () =>
    Effect.gen(function*() {
      const { file, known } = yield* described
      fs.appendFileSync(file, "x")
      assert.instanceOf(yield* Effect.flip(checkFile(file, known, cheap)), ImageDamaged)
      fs.truncateSync(file, 2_999_999)
      assert.instanceOf(yield* Effect.flip(checkFile(file, known, cheap)), ImageDamaged)
      fs.writeFileSync(file, Buffer.alloc(3_000_000, 9))
      assert.instanceOf(yield* Effect.flip(checkFile(file, known, cheap)), ImageDamaged)
      fs.rmSync(file)
      assert.include((yield* Effect.flip(checkFile(file, known, cheap))).message, "it is gone")
    }))

  it.live("the thorough check reports a file with one changed byte and unchanged times", () =>
    Effect.gen(function*() {
      const { file, known } = yield* described
      flipByte(file)
      assert.instanceOf(yield* Effect.flip(checkFile(file, known, thorough)), ImageDamaged)
    }))
})
