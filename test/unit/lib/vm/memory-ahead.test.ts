import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as fs from "node:fs"
import * as path from "node:path"
import { giveAhead, layAhead, type MemoryAhead, needsCopy, toLay } from "../../../../src/lib/vm/memory-ahead.ts"
import { diffName, wholeName } from "../../../../src/lib/vm/model/memory-image.ts"
import { temporaryDirectory } from "../disk/temporary-directory.ts"

const page = 4096

/** Pages of a file: `.` a hole, any other letter a page of it. */
const write = (file: string, pages: string) => {
  const fd = fs.openSync(file, "w")
  for (const [at, kind] of [...pages].entries()) {
    if (kind !== ".") fs.writeSync(fd, Buffer.alloc(page, kind), 0, page, at * page)
  }
  fs.ftruncateSync(fd, pages.length * page)
  fs.closeSync(fd)
}

const pagesOf = (file: string) => {
  const content = fs.readFileSync(file)
  return Array.from({ length: content.length / page }, (_, at) => String.fromCharCode(content[at * page] || 46)).join(
    ""
  )
}

/** A VM's memory, of which each capture is one in a folder of its own: other names of the image and of the diffs up to then. */
const room = Effect.map(temporaryDirectory, (directory) => {
  const image = path.join(directory, "mem")
  write(image, "abcd")
  let captures = 0
  const capture = (pages: string) => {
    captures += 1
    write(diffName(image, captures), pages)
    const folder = path.join(directory, `capture-${captures}`)
    fs.mkdirSync(folder)
    const memory = path.join(folder, "mem")
    fs.linkSync(image, memory)
    for (let at = 1; at <= captures; at++) fs.linkSync(diffName(image, at), diffName(memory, at))
    return memory
  }
  const ahead: MemoryAhead = { file: path.join(directory, "ahead"), parts: [] }
  return { ahead, capture, directory, image }
})

/** Makes the file have a memory. Says whether it was made anew. */
const make = (ahead: MemoryAhead, memory: string) =>
  Effect.gen(function*() {
    const lay = yield* toLay(ahead, memory)
    return { isNew: lay?.isNew, ahead: lay === undefined ? ahead : yield* layAhead(ahead, lay) }
  })

describe("a whole memory that is made ahead", () => {
  it.live("the next memory of the same VM costs its new diffs alone", () =>
    Effect.gen(function*() {
      const { ahead, capture } = yield* room
      const first = yield* make(ahead, capture("A..."))
      assert.isTrue(first.isNew)
      assert.strictEqual(pagesOf(ahead.file), "Abcd")
      const { ino } = fs.statSync(ahead.file)
      capture(".B..")
      const third = capture("...D")
      const next = yield* make(first.ahead, third)
      assert.isFalse(next.isNew)
      assert.strictEqual(pagesOf(ahead.file), "ABcD")
      assert.strictEqual(fs.statSync(ahead.file).ino, ino)
      assert.isUndefined((yield* make(next.ahead, third)).isNew, "it has that memory")
      assert.isTrue(yield* giveAhead(next.ahead, third))
      assert.isFalse(fs.existsSync(ahead.file))
      assert.strictEqual(pagesOf(wholeName(third)), "ABcD")
      assert.strictEqual(fs.statSync(wholeName(third)).mode & 0o777, 0o444)
      assert.isFalse(yield* needsCopy(third))
    }))

  it.live("it is given to no other memory than its own, and stays then", () =>
    Effect.gen(function*() {
      const { ahead, capture } = yield* room
      const [first, second] = [capture("A..."), capture(".B..")]
      const made = (yield* make(ahead, first)).ahead
      assert.isFalse(yield* giveAhead(made, second))
      assert.isFalse(yield* giveAhead(ahead, first), "of a process that does not know what the file has")
      assert.isFalse(fs.existsSync(wholeName(second)))
      assert.isTrue(yield* giveAhead(made, first))
    }))

  it.live("an earlier memory, and one of another VM, are made anew", () =>
    Effect.gen(function*() {
      const { ahead, capture } = yield* room
      const [first, second] = [capture("A..."), capture(".B..")]
      const made = yield* make(ahead, second)
      const back = yield* make(made.ahead, first)
      assert.isTrue(back.isNew)
      assert.strictEqual(pagesOf(ahead.file), "Abcd")
      const other = yield* room
      const memory = other.capture("..C.")
      assert.isTrue((yield* make(back.ahead, memory)).isNew)
      assert.strictEqual(pagesOf(ahead.file), "abCd")
    }))

  it.live("a diff that was changed, or whose inode has another content now, is another one", () =>
    Effect.gen(function*() {
      const { ahead, capture, image } = yield* room
      const memory = capture("A...")
      const made = (yield* make(ahead, memory)).ahead
      write(diffName(image, 1), "Z...")
      assert.isFalse(yield* giveAhead(made, memory))
      const again = yield* make(made, memory)
      assert.isTrue(again.isNew)
      assert.strictEqual(pagesOf(ahead.file), "Zbcd")
    }))

  it.live("a removed file is made anew", () =>
    Effect.gen(function*() {
      const { ahead, capture } = yield* room
      const memory = capture("A...")
      const made = (yield* make(ahead, memory)).ahead
      fs.rmSync(ahead.file)
      assert.isFalse(yield* giveAhead(made, memory))
      assert.isTrue((yield* make(made, capture(".B.."))).isNew)
      assert.strictEqual(pagesOf(ahead.file), "ABcd")
    }))

  it.live("a memory without diffs needs no copy", () =>
    Effect.gen(function*() {
      const { capture, image } = yield* room
      assert.isFalse(yield* needsCopy(image))
      assert.isTrue(yield* needsCopy(capture("A...")))
    }))
})
