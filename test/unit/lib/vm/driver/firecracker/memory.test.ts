import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as fs from "node:fs"
import * as path from "node:path"
import { names } from "../../../../../../src/lib/vm/driver/firecracker/machine.ts"
import {
  fillMemory,
  isLong,
  linkMemory,
  memoryOf,
  placeWhole,
  settleMemory,
  takeDiff,
  wholeOf
} from "../../../../../../src/lib/vm/driver/firecracker/memory.ts"
import { diffsOf, memoryBytes, wholeName } from "../../../../../../src/lib/vm/model/memory-image.ts"
import { isOneFile, storeRoom } from "./store-in.ts"

const page = 4096
const pageCount = 6
const bytes = pageCount * page

/** Pages of a file: `.` a hole, `0` written zeros, any other letter a page of it. */
const write = (file: string, pages: string) => {
  const fd = fs.openSync(file, "w")
  for (const [at, kind] of [...pages].entries()) {
    if (kind !== ".") fs.writeSync(fd, Buffer.alloc(page, kind === "0" ? 0 : kind), 0, page, at * page)
  }
  fs.ftruncateSync(fd, pages.length * page)
  fs.closeSync(fd)
}

const pagesOf = (file: string) => {
  const content = fs.readFileSync(file)
  return Array.from(
    { length: content.length / page },
    (_, at) => content[at * page] === 0 ? "." : String.fromCharCode(content[at * page]!)
  ).join("")
}

/** A VM with a memory, a file that its Firecracker writes, and a folder for snapshots. */
const room = Effect.map(storeRoom, ({ directory, paths }) => {
  const written = path.join(paths.directory, "run/captured.mem")
  const image = path.join(paths.directory, names.memory)
  write(image, "abc...")
  const capture = (pages: string) => {
    write(written, pages)
    return takeDiff(paths, written, bytes)
  }
  const folder = (name: string) => {
    const made = path.join(directory, name)
    fs.mkdirSync(made)
    return path.join(made, "mem")
  }
  return { capture, directory, folder, image, paths, written }
})

describe("a memory of diffs over a base", () => {
  it.live("each capture has the pages of its moment, and costs the pages that changed", () =>
    Effect.gen(function*() {
      const { capture, folder, image } = yield* room
      const [first, second] = [folder("first"), folder("second")]
      yield* capture("A.....")
      yield* linkMemory(image, first)
      yield* capture(".B0D")
      yield* linkMemory(image, second)
      assert.isTrue(isOneFile(first, second))
      assert.strictEqual(memoryBytes(second) - memoryBytes(first), 3 * page)
      assert.strictEqual(pagesOf(yield* wholeOf(first)), "Abc...")
      assert.strictEqual(pagesOf(yield* wholeOf(second)), "AB.D..")
      assert.strictEqual(pagesOf(image), "abc...")
    }))

  it.live("VMs that continue from it have one file, which is made once for a boot of the host", () =>
    Effect.gen(function*() {
      const { capture, folder, image } = yield* room
      const snapshot = folder("snapshot")
      yield* capture("A")
      yield* linkMemory(image, snapshot)
      // Not durable, so its content may be lost.
      const stale = `${snapshot}.whole-00000000`
      write(stale, "x")
      const [one, other] = [yield* storeRoom, yield* storeRoom]
      yield* fillMemory(one.paths, snapshot)
      yield* fillMemory(other.paths, snapshot)
      assert.strictEqual(pagesOf(memoryOf(one.paths)), "Abc...")
      assert.isTrue(isOneFile(memoryOf(one.paths), memoryOf(other.paths)))
      assert.isTrue(isOneFile(memoryOf(one.paths), wholeName(snapshot)))
      assert.isFalse(fs.existsSync(stale))
      assert.strictEqual(fs.statSync(wholeName(snapshot)).mode & 0o777, 0o444)
    }))

  it.live("a VM's own diffs become a whole image before its start, under the same name", () =>
    Effect.gen(function*() {
      const { capture, image, paths } = yield* room
      yield* capture("A")
      const sibling = yield* storeRoom
      yield* fillMemory(sibling.paths, image)
      yield* settleMemory(paths)
      assert.strictEqual(pagesOf(image), "Abc...")
      assert.isTrue(isOneFile(image, memoryOf(sibling.paths)))
      assert.deepStrictEqual(fs.readdirSync(path.dirname(image)), ["mem"])
      yield* settleMemory(paths)
      assert.strictEqual(pagesOf(image), "Abc...")
    }))

  it.live("what a removal that was cut short leaves changes nothing", () =>
    Effect.gen(function*() {
      const { capture, folder, image, paths } = yield* room
      yield* capture("A.....")
      yield* capture("B.....")
      const whole = folder("whole")
      write(whole, "Bbc...")
      fs.rmSync(diffsOf(image)[0]!)
      fs.renameSync(whole, image)
      assert.strictEqual(pagesOf(yield* wholeOf(image)), "Bbc...")
      yield* capture("C")
      assert.deepStrictEqual(diffsOf(image).map((file) => path.basename(file)), ["mem.2", "mem.3"])
      const next = folder("next")
      write(next, "Cbc...")
      yield* placeWhole(paths, next)
      assert.deepStrictEqual(diffsOf(image), [])
      assert.strictEqual(pagesOf(image), "Cbc...")
    }))

  it.live("a chain is long when its diffs are many, or larger than two images", () =>
    Effect.gen(function*() {
      const { capture, image } = yield* room
      for (const pages of ["ABCDEF", "....."]) yield* capture(pages)
      assert.isFalse(isLong(image))
      yield* capture("A")
      assert.isTrue(isLong(image))
      const other = yield* room
      for (let count = 0; count < 16; count++) yield* other.capture("......")
      assert.isFalse(isLong(other.image))
      yield* other.capture("......")
      assert.isTrue(isLong(other.image))
    }))

  it.live("diffs without their base are damage", () =>
    Effect.gen(function*() {
      const { capture, folder, image } = yield* room
      const snapshot = folder("snapshot")
      yield* capture("A")
      yield* linkMemory(image, snapshot)
      fs.rmSync(snapshot)
      const other = yield* storeRoom
      const failure = yield* Effect.flip(fillMemory(other.paths, snapshot))
      assert.strictEqual(failure._tag, "ImageDamaged")
      assert.isFalse(fs.existsSync(memoryOf(other.paths)))
    }))
})

describe("a diff of a Firecracker that its guest controls", () => {
  it.live("is refused if it is a link, a folder or too large, and the memory stays", () =>
    Effect.gen(function*() {
      for (const odd of ["link", "folder", "large"]) {
        const { image, paths, written } = yield* room
        if (odd === "link") fs.symlinkSync(image, written)
        else if (odd === "folder") fs.mkdirSync(written)
        else write(written, "x".repeat(pageCount + 1))
        const failure = yield* Effect.flip(takeDiff(paths, written, bytes))
        assert.strictEqual(failure._tag, "VmFailed")
        assert.deepStrictEqual(diffsOf(image), [])
        assert.strictEqual(pagesOf(yield* wholeOf(image)), "abc...")
      }
    }))

  it.live("is out of its reach: all users may read it, and none may write it", () =>
    Effect.gen(function*() {
      const { capture, image, written } = yield* room
      yield* capture("A")
      assert.isFalse(fs.existsSync(written))
      assert.strictEqual(fs.statSync(diffsOf(image)[0]!).mode & 0o777, 0o444)
    }))
})
