import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import * as path from "node:path"
import { HostFacts } from "../../../../src/lib/vm/model/HostFacts.ts"
import { Paths } from "../../../../src/system/files/Paths.ts"
import { ExtentReader, mapDisk, WrongMap } from "../../../../src/workspace/disk/map.ts"
import { endlessFile, interruptedTool } from "../../../support/workspace/tool-group.ts"
import { temporaryDirectory } from "../../lib/disk/temporary-directory.ts"

const chain = { virtualBytes: 1_000, fileBytes: [500, 300] }

const read = (...pieces: ReadonlyArray<string>) => {
  const reader = new ExtentReader(chain)
  for (const piece of pieces) reader.push(piece)
  return reader.finish()
}

/** Lines as qemu-img 7.2 prints them. */
const line = (fields: object) =>
  JSON.stringify({ depth: 0, present: true, zero: false, data: true, offset: 0, ...fields })
const map = (...lines: ReadonlyArray<object>) => `[${lines.map(line).join(",\n")}]\n`

describe("the map of a disk", () => {
  it("extents with data are kept, also when a line comes in pieces", () => {
    const text = map(
      { start: 0, length: 100, offset: 40 },
      { start: 100, length: 300, zero: true, data: false },
      { start: 400, length: 200, depth: 1, offset: 300 },
      { start: 600, length: 400, present: false, zero: true, data: false }
    )
    const found = [
      { start: 0, length: 100, depth: 0, offset: 40 },
      { start: 400, length: 200, depth: 1, offset: 300 }
    ]
    assert.deepStrictEqual(read(text), found)
    assert.deepStrictEqual(read(...text.split(/(?<=:)/)), found)
  })

  const wrong: Readonly<Record<string, string>> = {
    "ends before the disk": map({ start: 0, length: 999 }),
    "ends behind the disk": map({ start: 0, length: 1_001 }),
    "leaves bytes out": map({ start: 0, length: 10 }, { start: 11, length: 989 }),
    "tells bytes twice": map({ start: 0, length: 600 }, { start: 500, length: 500 }),
    "has an empty extent": map({ start: 0, length: 0 }, { start: 0, length: 1_000 }),
    "has a negative length": map({ start: 0, length: -5 }),
    "has a fraction": map({ start: 0, length: 0.5 }),
    "lies behind the end of a file": map({ start: 0, length: 1_000, offset: 501 }),
    "names a file that the chain lacks": map({ start: 0, length: 1_000, depth: 2 }),
    "has compressed data": map({ start: 0, length: 1_000, compressed: true }),
    "has data without a place": `[${JSON.stringify({ start: 0, length: 1_000, depth: 0, zero: false, data: true })}]`,
    "is no JSON": "[{ \"start\": 0,\n",
    "is empty": "[]\n",
    "has an endless line": "x".repeat(2_000)
  }
  it.each(Object.entries(wrong))("a map that %s is refused", (_, text) => {
    assert.throws(() => read(text), WrongMap)
  })

  it.live("a kill of qemu-img's process group reaches all of its processes, whenever it comes", () =>
    Effect.gen(function*() {
      const folder = yield* temporaryDirectory
      const paths = Layer.succeed(Paths, { cacheDir: folder, stateDir: folder, memoryDir: folder })
      const seed = { path: endlessFile(path.join(folder, "seed")), virtualBytes: 1_048_576 }
      const work = mapDisk({ seed, layers: [] }).pipe(
        Effect.provide(HostFacts.layer.pipe(Layer.provide(paths)))
      )
      const { missed, names } = yield* Effect.promise(() => interruptedTool("qemu-img", work))
      assert.include(names, "bwrap")
      assert.deepStrictEqual(missed, [])
    }))
})
