import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as fs from "node:fs"
import * as path from "node:path"
import { names } from "../../../../../../src/lib/vm/driver/firecracker/machine.ts"
import { nameStore, placeDisk, placeImage } from "../../../../../../src/lib/vm/driver/firecracker/store.ts"
import { isOneFile, ownUid, storeRoom, textOf, virtualBytes, wholeBytes } from "./store-in.ts"

describe("a disk in a VM's folder", () => {
  it.live("an empty disk is a store of holes, as large as it may become, for the VM's user alone", () =>
    Effect.gen(function*() {
      const { paths, seed, store } = yield* storeRoom
      yield* placeDisk(paths, ownUid, { seed })
      const { blocks, mode, size } = fs.statSync(store)
      assert.deepStrictEqual([size, blocks, mode & 0o7777], [wholeBytes, 0, 0o600])
      assert.isTrue(isOneFile(path.join(paths.directory, names.seed), seed.path))
    }))

  it.live("the newest layer with content counts alone, and stays as it is", () =>
    Effect.gen(function*() {
      const { layer, paths, seed, store } = yield* storeRoom
      const layers = [layer("0.store", "old"), layer("1.store", "newest"), layer("2.store", "")]
      yield* placeDisk(paths, ownUid, { seed, layers })
      assert.strictEqual(textOf(store), "newest")
      fs.writeFileSync(store, "written")
      assert.deepStrictEqual(layers.map(textOf), ["old", "newest", ""])
    }))

  it.live("a disk's own top is another name of the store, with the content below it if it is empty", () =>
    Effect.gen(function*() {
      const { layer, paths, seed, store } = yield* storeRoom
      const layers = [layer("0.store", "below")]
      const top = layer("1.store", "")
      yield* placeDisk(paths, ownUid, { seed, layers, top })
      assert.isTrue(isOneFile(top, store))
      assert.deepStrictEqual([textOf(top), textOf(layers[0]!)], ["below", "below"])
      assert.isFalse(isOneFile(top, layers[0]!))
      fs.writeFileSync(store, "own")
      fs.rmSync(store)
      yield* placeDisk(paths, ownUid, { seed, layers, top }, "/no/template")
      assert.isTrue(isOneFile(top, store))
      assert.strictEqual(textOf(store), "own")
    }))

  it.live("an empty disk begins with a template's content, and one that was written does not", () =>
    Effect.gen(function*() {
      const { directory, layer, paths, seed, store } = yield* storeRoom
      const content = path.join(directory, "overlay")
      fs.writeFileSync(content, "template")
      yield* placeDisk(paths, ownUid, { seed }, content)
      assert.strictEqual(textOf(store), "template")
      const top = layer("0.store", "")
      yield* placeDisk(paths, ownUid, { seed, top }, content)
      assert.strictEqual(textOf(top), "template")
      assert.strictEqual(textOf(content), "template")
      yield* placeDisk(paths, ownUid, { seed, layers: [layer("1.store", "mine")] }, content)
      assert.strictEqual(textOf(store), "mine")
    }))

  it.live("a disk takes the place of the last one, whose files stay", () =>
    Effect.gen(function*() {
      const { directory, layer, paths, seed, store } = yield* storeRoom
      const first = layer("0.store", "first")
      yield* placeDisk(paths, ownUid, { seed, top: first })
      const other = { path: path.join(directory, "other"), virtualBytes }
      fs.writeFileSync(other.path, "other seed")
      yield* placeDisk(paths, ownUid, { seed: other })
      assert.deepStrictEqual([textOf(store), textOf(first)], ["", "first"])
      assert.strictEqual(fs.readFileSync(path.join(paths.directory, names.seed), "utf8"), "other seed")
      assert.deepStrictEqual(fs.readdirSync(paths.run), ["store"])
    }))

  it.live("a store that pyro did not make, or that is gone, is damaged, and nothing of it is read", () =>
    Effect.gen(function*() {
      const { directory, disk, layer, paths, seed, store } = yield* storeRoom
      const secret = path.join(directory, "secret")
      fs.writeFileSync(secret, "of the host")
      const large = layer("large.store", "x")
      fs.truncateSync(large, wholeBytes + 1)
      const link = path.join(disk, "link.store")
      fs.symlinkSync(secret, link)
      const odd = [large, link, disk, path.join(disk, "gone.store")]
      for (const file of odd) {
        for (
          const source of [{ seed, layers: [file] }, { seed, top: file }, { seed, layers: [file], top: layer("t", "") }]
        ) {
          const failure = yield* Effect.flip(placeDisk(paths, ownUid, source))
          assert.deepInclude(failure, { _tag: "ImageDamaged", path: file })
          assert.isFalse(fs.existsSync(store))
        }
      }
      assert.strictEqual(fs.statSync(large).size, wholeBytes + 1)
      assert.strictEqual(fs.statSync(secret).size, "of the host".length)
    }))

  it.live("a seed that is gone is damaged", () =>
    Effect.gen(function*() {
      const { paths, seed } = yield* storeRoom
      fs.rmSync(seed.path)
      const failure = yield* Effect.flip(placeDisk(paths, ownUid, { seed }))
      assert.deepInclude(failure, { _tag: "ImageDamaged", path: seed.path })
    }))

  it.live("an image takes the place of another one, also after an attempt that was cut off", () =>
    Effect.gen(function*() {
      const { layer, paths } = yield* storeRoom
      const place = path.join(paths.directory, names.memory)
      fs.writeFileSync(`${place}.new`, "half")
      for (const text of ["one", "two"]) {
        const image = layer(text, text)
        yield* placeImage(paths, image, names.memory)
        assert.isTrue(isOneFile(place, image))
      }
    }))
})

describe("the name of a VM's store", () => {
  it.live("a VM's store takes the place of an empty top", () =>
    Effect.gen(function*() {
      const { disk, layer, paths, store } = yield* storeRoom
      fs.writeFileSync(store, "of the member")
      const top = layer("0.store", "")
      fs.writeFileSync(`${top}.tmp`, "left by a crash")
      yield* nameStore(paths, top)
      assert.isTrue(isOneFile(top, store))
      assert.sameMembers(fs.readdirSync(disk), ["0.store", "seed.ext4"])
    }))

  it.live("a symbolic link in the store's place gets no name, and the top stays", () =>
    Effect.gen(function*() {
      const { disk, layer, paths, seed, store } = yield* storeRoom
      fs.symlinkSync(seed.path, store)
      const top = layer("0.store", "")
      assert.deepInclude(yield* Effect.flip(nameStore(paths, top)), { _tag: "VmFailed", step: "disk" })
      assert.strictEqual(fs.lstatSync(top).size, 0)
      assert.sameMembers(fs.readdirSync(disk), ["0.store", "seed.ext4"])
    }))
})
