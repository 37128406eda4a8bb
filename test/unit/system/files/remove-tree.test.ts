import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as fs from "node:fs"
import * as path from "node:path"
import { removeTree } from "../../../../src/system/files/remove-tree.ts"
import { smallFileSystem, temporaryDirectory } from "../../lib/disk/temporary-directory.ts"

const isRoot = process.getuid?.() === 0

/** A folder with `count` files, in folders of `each` files. */
const fill = (folder: string, count: number, each: number) => {
  for (let at = 0; at < count; at++) {
    const inner = path.join(folder, String(Math.floor(at / each)))
    fs.mkdirSync(inner, { recursive: true })
    fs.writeFileSync(path.join(inner, String(at)), "content")
  }
}

describe("removal of a tree", () => {
  for (const [what, count, each] of [["small", 20, 7], ["wide", 400, 400], ["deep", 400, 3]] as const) {
    it.live(`a ${what} tree is removed, and what lies beside it stays`, () =>
      Effect.gen(function*() {
        const folder = yield* temporaryDirectory
        const [tree, beside] = [path.join(folder, "tree"), path.join(folder, "tree-2")]
        fill(tree, count, each)
        fill(beside, 3, 2)
        yield* removeTree(tree)
        assert.deepStrictEqual(fs.readdirSync(folder), ["tree-2"])
        assert.deepStrictEqual(fs.readdirSync(beside), ["0", "1"])
      }))
  }

  it.live("names that are no UTF-8 are removed", () =>
    Effect.gen(function*() {
      const folder = yield* temporaryDirectory
      const tree = path.join(folder, "tree")
      const odd = Buffer.concat([Buffer.from(`${tree}/a`), Buffer.from([0xff, 0xfe])])
      fs.mkdirSync(tree)
      fs.mkdirSync(odd)
      fs.writeFileSync(Buffer.concat([odd, Buffer.from([0x2f, 0x80, 0x0a])]), "content")
      yield* removeTree(tree)
      assert.deepStrictEqual(fs.readdirSync(folder), [])
    }))

  for (const count of [1, 200]) {
    it.live(`symbolic links among ${count} files are removed, and their targets stay`, () =>
      Effect.gen(function*() {
        const folder = yield* temporaryDirectory
        const [tree, target] = [path.join(folder, "tree"), path.join(folder, "target")]
        fill(tree, count, count)
        fill(target, 3, 3)
        fs.symlinkSync(target, path.join(tree, "to-folder"))
        fs.symlinkSync(path.join(target, "0", "1"), path.join(tree, "to-file"))
        fs.symlinkSync("nowhere", path.join(tree, "to-nothing"))
        yield* removeTree(tree)
        assert.deepStrictEqual(fs.readdirSync(folder), ["target"])
        assert.deepStrictEqual(fs.readdirSync(path.join(target, "0")), ["0", "1", "2"])
      }))
  }

  it.live("a symbolic link to a folder, a large file and a missing name are removed themselves", () =>
    Effect.gen(function*() {
      const folder = yield* temporaryDirectory
      const at = (name: string) => path.join(folder, name)
      fill(at("target"), 1, 1)
      fs.symlinkSync(at("target"), at("link"))
      fs.mkdirSync(at("large"))
      fs.writeFileSync(at("large/file"), Buffer.alloc(4 * 1024 * 1024, 1))
      for (const name of ["link", "large", "missing", "missing/below"]) yield* removeTree(at(name))
      assert.deepStrictEqual(fs.readdirSync(folder), ["target"])
      assert.deepStrictEqual(fs.readdirSync(at("target/0")), ["0"])
    }))

  it.live("the removal leaves no descriptor open", () =>
    Effect.gen(function*() {
      const tree = path.join(yield* temporaryDirectory, "tree")
      const before = fs.readdirSync("/proc/self/fd").length
      for (const each of [2, 400]) {
        fill(tree, 400, each)
        yield* removeTree(tree)
      }
      assert.isAtMost(fs.readdirSync("/proc/self/fd").length, before)
    }))
})

describe.skipIf(!isRoot)("removal of a folder in use", () => {
  it.live("a mounted file system is emptied and reported busy", () =>
    Effect.gen(function*() {
      const folder = yield* smallFileSystem(1)
      fill(folder, 10, 5)
      const failure = yield* Effect.flip(removeTree(folder))
      assert.strictEqual(failure._tag, "FileFailed")
      assert.strictEqual(failure.code, "EBUSY")
      assert.deepStrictEqual(fs.readdirSync(folder), [])
    }))
})
