import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as fs from "node:fs"
import * as path from "node:path"
import { emptyLayer, formatOf, isEmptyLayer, isLayer, storeBytes } from "../../../../src/lib/disk/layer-format.ts"
import { openVerifiedLayer } from "../../../../src/lib/disk/open-layer.ts"
import { temporaryDirectory } from "./temporary-directory.ts"

const mib = 1024 * 1024
const chunk = 8192

describe("formats of layers", () => {
  it("a layer's name says its format", () => {
    assert.deepStrictEqual(["3.store", "/a/0.store", "3.qcow2", "overlay"].map(formatOf), [
      "store",
      "store",
      "qcow2",
      "qcow2"
    ])
    assert.deepStrictEqual(["0.store", "12.qcow2"].map(isLayer), [true, true])
    assert.deepStrictEqual(["seed.ext4", "0.store.tmp", "frozen.tmp", "store"].map(isLayer), [
      false,
      false,
      false,
      false
    ])
  })

  it.effect("a layer is empty until something is written to it, in either format", () =>
    Effect.gen(function*() {
      const directory = yield* temporaryDirectory
      for (const format of ["qcow2", "store"] as const) {
        const file = path.join(directory, `0.${format}`)
        fs.writeFileSync(file, emptyLayer(format, mib))
        assert.isTrue(isEmptyLayer(file, mib))
        fs.appendFileSync(file, "x")
        assert.isFalse(isEmptyLayer(file, mib))
      }
    }))

  it("a store has room for each chunk of its disk, the exceptions of all, and the header", () => {
    for (const virtualBytes of [chunk, mib, 4 * mib + 1, 16 * 1024 * mib]) {
      const chunks = Math.ceil(virtualBytes / chunk)
      // The kernel writes chunks of exceptions before the chunks that they describe, and begins the next one when one is full.
      const exceptions = Math.floor(chunks / 512) + 1
      assert.isAtLeast(storeBytes(virtualBytes), (1 + exceptions + chunks) * chunk)
      assert.strictEqual(storeBytes(virtualBytes) % chunk, 0)
      assert.isAtMost(storeBytes(virtualBytes), virtualBytes * 1.01 + 4 * chunk)
    }
  })

  it.live("a layer with a guest's content is opened without a link, and a store's content is not read", () =>
    Effect.gen(function*() {
      const directory = yield* temporaryDirectory
      const at = (name: string) => path.join(directory, name)
      const expected = { virtualBytes: mib }
      fs.writeFileSync(at("0.store"), "whatever the guest's kernel has written")
      assert.isAbove(yield* openVerifiedLayer(at("0.store"), expected), 0)
      fs.symlinkSync(at("0.store"), at("1.store"))
      for (const name of ["1.store", "2.store"]) {
        const failure = yield* Effect.flip(openVerifiedLayer(at(name), expected))
        assert.deepInclude(failure, { _tag: "ImageDamaged", path: at(name) })
      }
      fs.writeFileSync(at("0.qcow2"), "no header")
      assert.strictEqual((yield* Effect.flip(openVerifiedLayer(at("0.qcow2"), expected)))._tag, "ImageDamaged")
    }))
})
