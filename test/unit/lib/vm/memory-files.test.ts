import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as fs from "node:fs"
import * as path from "node:path"
import { diffName, dropWhole, memoryFiles, settleWhole, wholeName } from "../../../../src/lib/vm/model/memory-image.ts"
import { temporaryDirectory } from "../disk/temporary-directory.ts"

/** A memory with two diffs, and its whole image if wanted, beside other files. */
const memoryIn = (isWhole: boolean) =>
  Effect.map(temporaryDirectory, (directory) => {
    const memory = path.join(directory, "mem")
    const files = [memory, diffName(memory, 1), diffName(memory, 2), ...(isWhole ? [wholeName(memory)] : [])]
    for (const file of [...files, path.join(directory, "state")]) fs.writeFileSync(file, path.basename(file))
    return { files, memory }
  })

describe("the files of a captured memory", () => {
  it.live("all of its parts count, and nothing else in its folder", () =>
    Effect.gen(function*() {
      const { files, memory } = yield* memoryIn(true)
      assert.sameMembers([...memoryFiles(memory)], files)
    }))

  it.live("its whole image takes the place of image and diffs", () =>
    Effect.gen(function*() {
      const { memory } = yield* memoryIn(true)
      settleWhole(memory)
      assert.deepStrictEqual(memoryFiles(memory), [memory])
      assert.strictEqual(fs.readFileSync(memory, "utf8"), path.basename(wholeName(memory)))
    }))

  it.live("without a whole image it stays as it is, and a whole image can be dropped", () =>
    Effect.gen(function*() {
      const { files, memory } = yield* memoryIn(false)
      settleWhole(memory)
      assert.sameMembers([...memoryFiles(memory)], files)
      fs.writeFileSync(wholeName(memory), "")
      dropWhole(memory)
      assert.sameMembers([...memoryFiles(memory)], files)
    }))
})
