import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as fs from "node:fs"
import * as path from "node:path"
import { changesOf } from "../../../../src/lib/disk/layer-format.ts"
import {
  isEmptyDisk,
  layerCount,
  linkGrown,
  linkMerged,
  linkSeed,
  makeDiskOfCopy,
  makeWorkspaceDisk,
  readWorkspaceDisk,
  shareLayers
} from "../../../../src/lib/disk/workspace-disk.ts"
import { temporaryDirectory } from "./temporary-directory.ts"

const mib = 1024 * 1024

/** A disk of stores with these texts, the oldest first. */
const diskOf = (...texts: ReadonlyArray<string>) =>
  Effect.gen(function*() {
    const directory = yield* temporaryDirectory
    const folder = path.join(directory, "disk")
    const image = path.join(directory, "image")
    fs.writeFileSync(image, "seed")
    yield* linkSeed(folder, image)
    for (const text of texts) fs.writeFileSync(yield* makeWorkspaceDisk(folder, mib, "store"), text)
    return { directory, folder, other: path.join(directory, "other"), read: readWorkspaceDisk(folder, mib) }
  })

const textIn = (file: string) => fs.readFileSync(file, "utf8")
const isOneFile = (one: string, other: string) => fs.statSync(one).ino === fs.statSync(other).ino

describe("workspace disks of stores", () => {
  it.live("a new disk's first layer is an empty store, and the ones above have its format", () =>
    Effect.gen(function*() {
      const { folder, read } = yield* diskOf("")
      assert.isTrue(isEmptyDisk(yield* read))
      // The default format does not change a disk that exists.
      for (const name of ["1.store", "2.store"]) {
        const file = yield* makeWorkspaceDisk(folder, mib)
        assert.strictEqual(path.basename(file), name)
        assert.strictEqual(fs.statSync(file).size, 0)
      }
      assert.strictEqual(yield* layerCount(folder), 3)
      const qcow2 = path.join(path.dirname(folder), "qcow2")
      fs.mkdirSync(qcow2)
      assert.strictEqual(path.basename(yield* makeWorkspaceDisk(qcow2, mib)), "0.qcow2")
      assert.strictEqual(path.basename(yield* makeWorkspaceDisk(qcow2, mib, "store")), "1.qcow2")
    }))

  it.live("a copy with changes beside it becomes a layer of its own, and one without is left to links", () =>
    Effect.gen(function*() {
      const { folder, other } = yield* diskOf("")
      const page = 4096
      const layer = path.join(folder, "0.store")
      fs.writeFileSync(layer, "a".repeat(2 * page))
      assert.isFalse(yield* makeDiskOfCopy(folder, other))
      assert.isFalse(fs.existsSync(other))
      fs.writeFileSync(changesOf(layer), "")
      fs.truncateSync(changesOf(layer), 2 * page)
      const changes = fs.openSync(changesOf(layer), "r+")
      fs.writeSync(changes, "b".repeat(page), page)
      fs.closeSync(changes)
      assert.isTrue(yield* makeDiskOfCopy(folder, other))
      const disk = yield* readWorkspaceDisk(other, mib)
      assert.deepStrictEqual(disk.layers, [])
      assert.strictEqual(textIn(disk.top), "a".repeat(page) + "b".repeat(page))
      assert.strictEqual(fs.statSync(disk.top).mode & 0o777, 0o600)
      assert.strictEqual(textIn(disk.seed.path), "seed")
      assert.sameMembers(fs.readdirSync(other), ["0.store", "seed.ext4"])
      assert.strictEqual(textIn(layer), "a".repeat(2 * page), "the copy stays as it is")
    }))

  it.live("a disk is read with its layers in order, the newest on top, whatever else is in its folder", () =>
    Effect.gen(function*() {
      const texts = Array.from({ length: 12 }, (_, at) => `layer ${at}`)
      const { folder, read } = yield* diskOf(...texts)
      for (const name of ["frozen.tmp", "11.store.tmp", "x.store", "01.store"]) {
        fs.writeFileSync(path.join(folder, name), "left by a crash")
      }
      const disk = yield* read
      assert.deepStrictEqual([...disk.layers, disk.top].map(textIn), texts)
      assert.isFalse(isEmptyDisk(disk))
      assert.deepStrictEqual(disk.seed, { path: path.join(folder, "seed.ext4"), virtualBytes: mib })
    }))

  it.live("a disk without one of its layers is damaged", () =>
    Effect.gen(function*() {
      for (const lost of ["0.store", "1.store"]) {
        const { folder, other, read } = yield* diskOf("a", "b", "c")
        fs.rmSync(path.join(folder, lost))
        assert.include((yield* Effect.flip(read)).message, "one of its layers is gone")
        const shared = yield* Effect.flip(shareLayers(folder, other, 3))
        assert.deepInclude(shared, { _tag: "ImageDamaged", path: folder, detail: "one of its layers is gone" })
      }
      const { folder, read } = yield* diskOf("a")
      fs.renameSync(path.join(folder, "0.store"), path.join(folder, "0.store.tmp"))
      assert.include((yield* Effect.flip(read)).message, "it has no layer")
      fs.rmSync(path.join(folder, "seed.ext4"))
      assert.include((yield* Effect.flip(read)).message, "seed.ext4 is gone")
    }))

  it.live("one of a layer in each format is no layer too many", () =>
    Effect.gen(function*() {
      const { folder, read } = yield* diskOf("a", "b")
      fs.writeFileSync(path.join(folder, "1.qcow2"), "of the other driver")
      assert.strictEqual((yield* Effect.flip(read))._tag, "ImageDamaged")
    }))

  it.live("shared layers are the same files in an independent folder, without those above", () =>
    Effect.gen(function*() {
      const { folder, other } = yield* diskOf("a", "b", "top")
      yield* shareLayers(folder, other, 2)
      assert.sameMembers(fs.readdirSync(other), ["0.store", "1.store", "seed.ext4"])
      for (const name of fs.readdirSync(other)) {
        assert.isTrue(isOneFile(path.join(other, name), path.join(folder, name)))
      }
      fs.writeFileSync(yield* makeWorkspaceDisk(other, mib), "its own")
      assert.strictEqual(textIn(path.join(folder, "2.store")), "top")
    }))

  it.live("a grown disk has a new, empty store above, and an empty top is left out", () =>
    Effect.gen(function*() {
      for (const top of ["written", ""]) {
        const { other, read } = yield* diskOf("below", top)
        const disk = yield* read
        yield* linkGrown(disk, other, 2 * mib)
        const grown = yield* readWorkspaceDisk(other, 2 * mib)
        assert.deepStrictEqual(grown.layers.map(textIn), top === "" ? ["below"] : ["below", top])
        assert.isTrue(isOneFile(grown.layers[0]!, disk.layers[0]!))
        assert.strictEqual(path.extname(grown.top), ".store")
        assert.strictEqual(fs.statSync(grown.top).size, 0)
        assert.strictEqual(grown.seed.virtualBytes, 2 * mib)
      }
    }))

  it.live("a merged store takes the place of its layers, and becomes read-only", () =>
    Effect.gen(function*() {
      const { directory, other, read } = yield* diskOf("a", "b", "c", "top")
      const disk = yield* read
      const file = path.join(directory, "merged.store")
      fs.writeFileSync(file, "of a and b", { mode: 0o600 })
      yield* linkMerged(disk, other, { from: 0, count: 2, file })
      const merged = yield* readWorkspaceDisk(other, mib)
      assert.deepStrictEqual([...merged.layers, merged.top].map(textIn), ["of a and b", "c", "top"])
      assert.strictEqual(fs.statSync(merged.layers[0]!).mode & 0o222, 0)
      assert.isTrue(isOneFile(merged.top, disk.top))
      fs.symlinkSync(file, path.join(directory, "link.store"))
      const link = { from: 0, count: 2, file: path.join(directory, "link.store") }
      const failure = yield* Effect.flip(linkMerged(disk, path.join(directory, "third"), link))
      assert.deepInclude(failure, { _tag: "ImageDamaged", path: link.file })
    }))
})
