import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as fs from "node:fs"
import * as path from "node:path"
import { storeBytes } from "../../../../../../src/lib/disk/layer-format.ts"
import type { Freezable } from "../../../../../../src/lib/vm/driver/firecracker/freeze-memory.ts"
import { copyEarly, copyLate } from "../../../../../../src/lib/vm/driver/firecracker/point-disk.ts"
import { placeDisk } from "../../../../../../src/lib/vm/driver/firecracker/store.ts"
import { ownUid, storeRoom } from "./store-in.ts"

const mib = 1024 * 1024
const virtualBytes = 32 * mib

/** A VM with a store of as many MiB, which its guest changes by `write`. `looking` runs while Firecracker answers. */
const running = (storeMib: number) =>
  Effect.gen(function*() {
    const { directory, layer, paths, seed, store } = yield* storeRoom
    yield* placeDisk(paths, ownUid, { seed: { ...seed, virtualBytes }, top: layer("0.store", "before") })
    fs.truncateSync(store, storeBytes(virtualBytes))
    const write = (text: string) => {
      const fd = fs.openSync(store, "r+")
      fs.writeSync(fd, text, 0, "latin1")
      fs.closeSync(fd)
    }
    const fd = fs.openSync(store, "r+")
    fs.writeSync(fd, Buffer.alloc(storeMib * mib, "x"), 0)
    fs.closeSync(fd)
    write("moment")
    let looking = () => {}
    const vm = {
      api: { isPaused: Effect.sync(() => (looking(), false)) },
      ownership: { paths }
    } as unknown as Pick<Freezable, "api" | "ownership">
    const to = path.join(directory, "copy")
    const copy = { to }
    return {
      copy,
      early: copyEarly(vm, virtualBytes, copy),
      late: (early: string | undefined) => copyLate(paths, virtualBytes, { ...copy, early }),
      duringLook: (work: () => void) => {
        looking = work
      },
      start: () => fs.readFileSync(to, "latin1").slice(0, 6),
      store,
      to,
      vm,
      write
    }
  })

describe("the copy of a large store before the pause of its VM", () => {
  it.live("nothing is copied in the pause if nothing was written since", () =>
    Effect.gen(function*() {
      const { early, late, start, to } = yield* running(16)
      const mark = yield* early
      assert.isString(mark)
      const { ino } = fs.statSync(to)
      assert.strictEqual(yield* late(mark), mark)
      assert.strictEqual(fs.statSync(to).ino, ino)
      assert.strictEqual(start(), "moment")
    }))

  it.live("what the guest writes until the pause is in the copy", () =>
    Effect.gen(function*() {
      const { early, late, start, write } = yield* running(16)
      const mark = yield* early
      assert.isString(mark)
      assert.strictEqual(start(), "moment")
      write("later!")
      assert.notStrictEqual(yield* late(mark), mark)
      assert.strictEqual(start(), "later!")
    }))

  it.live("a store that is written at the look gets no early copy", () =>
    Effect.gen(function*() {
      const { duringLook, early, late, start, to, write } = yield* running(16)
      duringLook(() => write("looked"))
      assert.isUndefined(yield* early)
      assert.isFalse(fs.existsSync(to))
      yield* late(undefined)
      assert.strictEqual(start(), "looked")
    }))

  it.live("a store whose last write may have the time of the next one gets none", () =>
    Effect.gen(function*() {
      const { early, store, to } = yield* running(16)
      const aheadSeconds = Date.now() / 1_000 + 3_600
      fs.utimesSync(store, aheadSeconds, aheadSeconds)
      assert.isUndefined(yield* early)
      assert.isFalse(fs.existsSync(to))
    }))

  it.live("neither does a small store, and one that cannot be copied", () =>
    Effect.gen(function*() {
      const small = yield* running(15)
      assert.isUndefined(yield* small.early)
      const { early, store, to } = yield* running(16)
      fs.rmSync(store)
      assert.isUndefined(yield* early)
      for (const file of [small.to, to]) assert.isFalse(fs.existsSync(file))
    }))
})
