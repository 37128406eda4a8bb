import { assert, describe, it } from "@effect/vitest"
import { Effect, Schema } from "effect"
import * as fs from "node:fs"
import * as path from "node:path"
import { syncFile, writeFileAtomic, writeJsonAtomic } from "../../../../src/system/files/atomic-file.ts"
import { copyFile, openFile, writeFile } from "../../../../src/system/files/content.ts"
import { isDiskFull } from "../../../../src/system/files/failure.ts"
import { removeTree } from "../../../../src/system/files/remove-tree.ts"
import { bytesBeneath, bytesOnDisk } from "../../../../src/system/files/usage.ts"
import { smallFileSystem, temporaryDirectory } from "../../lib/disk/temporary-directory.ts"

const mib = 1024 * 1024
const large = Buffer.alloc(2 * mib, 1)

const openDescriptors = () => fs.readdirSync("/proc/self/fd").length

const isRoot = process.getuid?.() === 0

describe.skipIf(!isRoot)("a file system of 1 MiB", () => {
  it.live("a write that is too large for the file system fails with a full disk", () =>
    Effect.gen(function*() {
      const folder = yield* smallFileSystem(1)
      const source = path.join(yield* temporaryDirectory, "large")
      fs.writeFileSync(source, large)
      const file = path.join(folder, "file")
      for (const work of [writeFile(file, large), copyFile(source, file)]) {
        assert.isTrue(isDiskFull(yield* Effect.flip(work)))
        yield* removeTree(file)
      }
    }))

  it.live("an atomic write that does not fit keeps the old content and leaves no temporary file", () =>
    Effect.gen(function*() {
      const folder = yield* smallFileSystem(1)
      const file = path.join(folder, "file")
      yield* writeFileAtomic(file, "old", { durable: true })
      assert.isTrue(isDiskFull(yield* Effect.flip(writeFileAtomic(file, large))))
      assert.isTrue(isDiskFull(yield* Effect.flip(writeJsonAtomic(file, Schema.String, large.toString("latin1")))))
      assert.strictEqual(fs.readFileSync(file, "utf8"), "old")
      assert.deepStrictEqual(fs.readdirSync(folder), ["file"])
    }))
})

describe("descriptors", () => {
  it.live("failed file operations leave no descriptor open", () =>
    Effect.gen(function*() {
      const folder = yield* temporaryDirectory
      const at = (name: string) => path.join(folder, name)
      fs.mkdirSync(at("folder"))
      const failing = [
        writeFileAtomic(at("folder"), "x"),
        writeFileAtomic(at("none/file"), "x", { durable: true }),
        writeFile(at("folder"), "x"),
        copyFile(at("none"), at("file")),
        syncFile(at("none")),
        Effect.scoped(openFile(at("none"), "r")),
        Effect.scoped(Effect.andThen(openFile("/proc/self/stat", "r"), openFile(at("none"), "r")))
      ]
      yield* Effect.forEach(failing, Effect.flip)
      const before = openDescriptors()
      for (let round = 0; round < 10; round++) yield* Effect.forEach(failing, Effect.flip)
      assert.strictEqual(openDescriptors(), before)
    }))

  it.live("a descriptor stays open until its Scope closes", () =>
    Effect.gen(function*() {
      const before = openDescriptors()
      yield* Effect.scoped(Effect.gen(function*() {
        yield* openFile("/proc/self/stat", "r")
        assert.strictEqual(openDescriptors(), before + 1)
      }))
      assert.strictEqual(openDescriptors(), before)
    }))
})

describe("room on disk", () => {
  it.live("the size of a tree counts unreadable entries as 0", () =>
    Effect.gen(function*() {
      const folder = yield* temporaryDirectory
      fs.mkdirSync(path.join(folder, "a/b"), { recursive: true })
      fs.writeFileSync(path.join(folder, "a/b/file"), large)
      assert.isAtLeast(bytesBeneath(folder), large.length)
      assert.strictEqual(bytesBeneath(path.join(folder, "none")), 0)
      assert.strictEqual(bytesOnDisk(path.join(folder, "none")), 0)
    }))
})
