import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as fs from "node:fs"
import * as path from "node:path"
import { changesOf } from "../../../../../../src/lib/disk/layer-format.ts"
import { copyStoreTo, storeMark } from "../../../../../../src/lib/vm/driver/firecracker/point-disk.ts"
import { placeDisk } from "../../../../../../src/lib/vm/driver/firecracker/store.ts"
import { copySparse } from "../../../../../../src/lib/vm/driver/memory.ts"
import { isOneFile, ownUid, storeRoom, textOf, virtualBytes, wholeBytes } from "./store-in.ts"

/** A VM with a store, which `write` changes as its guest does. */
const running = Effect.gen(function*() {
  const room = yield* storeRoom
  const { directory, layer, paths, seed, store } = room
  const top = layer("0.store", "before")
  yield* placeDisk(paths, ownUid, { seed, top })
  let seconds = 1_000_000
  const writeAt = (text: string, position: number) => {
    const fd = fs.openSync(store, "r+")
    fs.writeSync(fd, text, position, "latin1")
    fs.closeSync(fd)
    // The clock of the file system has steps.
    fs.utimesSync(store, seconds, seconds)
    seconds += 1
  }
  const write = (text: string) => writeAt(text, 0)
  return { ...room, top, write, writeAt, to: (name: string) => path.join(directory, name) }
})

/** Makes a copy with changes beside it one file. */
const settle = (file: string) =>
  Effect.gen(function*() {
    if (!fs.existsSync(changesOf(file))) return
    yield* copySparse(file, `${file}.whole`, ownUid, { changes: [changesOf(file)] })
    fs.renameSync(`${file}.whole`, file)
  })

describe("the copy of a store for a point", () => {
  it.live("the copy has the content of the moment, and the VM continues on its own file", () =>
    Effect.gen(function*() {
      const { disk, paths, store, to, top, write } = yield* running
      write("moment")
      yield* copyStoreTo(paths, virtualBytes, { to: to("copy") })
      write("later!")
      assert.deepStrictEqual([textOf(to("copy")), textOf(store)], ["moment", "later!"])
      assert.isTrue(isOneFile(top, store))
      assert.strictEqual(fs.statSync(to("copy")).mode & 0o7777, 0o444)
      assert.strictEqual(fs.statSync(to("copy")).size, wholeBytes)
      assert.sameMembers(fs.readdirSync(disk), ["0.store", "seed.ext4"])
    }))

  it.live("a copy of an unchanged store is another name of the last copy", () =>
    Effect.gen(function*() {
      const { paths, to, write } = yield* running
      write("moment")
      const mark = yield* copyStoreTo(paths, virtualBytes, { to: to("first") })
      assert.strictEqual(yield* storeMark(paths), mark)
      const last = { file: to("first"), mark }
      yield* copyStoreTo(paths, virtualBytes, { to: to("second"), last })
      assert.isTrue(isOneFile(to("first"), to("second")))
      write("later!")
      assert.notStrictEqual(yield* storeMark(paths), mark)
      yield* copyStoreTo(paths, virtualBytes, { to: to("third"), last })
      yield* settle(to("third"))
      assert.deepStrictEqual(["first", "second", "third"].map((name) => textOf(to(name))), [
        "moment",
        "moment",
        "later!"
      ])
    }))

  it.live("copies after a large one have what differs from it, until that is much", () =>
    Effect.gen(function*() {
      const { paths, to, write, writeAt } = yield* running
      const block = "x".repeat(64 * 1024)
      for (let at = 0; at < 10; at++) writeAt(block, at * block.length)
      yield* copyStoreTo(paths, virtualBytes, { to: to("whole") })
      write("one")
      const mark = yield* copyStoreTo(paths, virtualBytes, { to: to("one"), last: { file: to("whole") } })
      // A file system that shares extents has whole copies for nothing.
      const shares = !fs.existsSync(changesOf(to("one")))
      assert.strictEqual(isOneFile(to("whole"), to("one")), !shares)
      yield* copyStoreTo(paths, virtualBytes, { to: to("same"), last: { file: to("one"), mark } })
      write("two")
      yield* copyStoreTo(paths, virtualBytes, { to: to("two"), last: { file: to("one"), mark } })
      assert.strictEqual(isOneFile(to("whole"), to("two")), !shares)
      for (let at = 0; at < 6; at++) writeAt(block.replaceAll("x", "y"), at * block.length)
      yield* copyStoreTo(paths, virtualBytes, { to: to("much"), last: { file: to("two") } })
      yield* copyStoreTo(paths, virtualBytes, { to: to("again"), last: { file: to("much") } })
      assert.isFalse(isOneFile(to("much"), to("again")))
      const before = fs.readFileSync(to("whole"))
      for (const name of ["one", "same", "two", "much", "again"]) yield* settle(to(name))
      const starts = ["one", "same", "two", "much", "again"].map((name) =>
        fs.readFileSync(to(name), "latin1").slice(0, 4)
      )
      assert.deepStrictEqual(starts, ["onex", "onex", "twox", "yyyy", "yyyy"])
      assert.isTrue(fs.readFileSync(to("whole")).equals(before))
    }))

  it.live("a store that Firecracker has replaced by a link is not copied", () =>
    Effect.gen(function*() {
      const { paths, store, to } = yield* running
      fs.rmSync(store)
      fs.symlinkSync("/etc/hostname", store)
      const failure = yield* Effect.flip(copyStoreTo(paths, virtualBytes, { to: to("copy") }))
      assert.strictEqual(failure._tag, "ImageDamaged")
      assert.isFalse(fs.existsSync(to("copy")))
    }))
})
