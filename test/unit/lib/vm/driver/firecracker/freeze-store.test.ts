import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as fs from "node:fs"
import { createRequire, syncBuiltinESMExports } from "node:module"
import * as path from "node:path"
import { readWorkspaceDisk } from "../../../../../../src/lib/disk/workspace-disk.ts"
import { freezeStore, placeDisk } from "../../../../../../src/lib/vm/driver/firecracker/store.ts"
import { isOneFile, ownUid, storeRoom, textOf, virtualBytes, wholeBytes } from "./store-in.ts"

/** A running VM with a layer that is its store, and an empty layer above for what comes next. */
const running = Effect.gen(function*() {
  const room = yield* storeRoom
  const { layer, paths, seed, store } = room
  const first = layer("0.store", "before")
  yield* placeDisk(paths, ownUid, { seed, top: first })
  const fd = yield* Effect.acquireRelease(
    Effect.sync(() => fs.openSync(store, "r+")),
    (fd) => Effect.sync(() => fs.closeSync(fd))
  )
  const write = (text: string) => void fs.writeSync(fd, text, 0, "latin1")
  return { ...room, first, top: layer("1.store", ""), write }
})

/** Calls of `node:fs` that change names. The step at `at` fails, as if the process had ended there, and all later ones. */
const crashingAt = <A, E, R>(at: number, use: Effect.Effect<A, E, R>) => {
  const mutable = createRequire(import.meta.url)("node:fs") as Record<
    string,
    (...args: ReadonlyArray<unknown>) => unknown
  >
  const wrapped = ["linkSync", "renameSync", "rmSync", "chmodSync"] as const
  let steps = 0
  return Effect.acquireUseRelease(
    Effect.sync(() => {
      const before = wrapped.map((name) => [name, mutable[name]!] as const)
      for (const [name, call] of before) {
        mutable[name] = (...args) => {
          if (steps++ >= at) throw Object.assign(new Error("crash"), { code: "EIO" })
          return call(...args)
        }
      }
      syncBuiltinESMExports()
      return before
    }),
    () => Effect.exit(use),
    (before) =>
      Effect.sync(() => {
        for (const [name, call] of before) mutable[name] = call
        syncBuiltinESMExports()
      })
  )
}

describe("freezing a store", () => {
  it.live("the content gets the old name, and the running VM continues under the new one", () =>
    Effect.gen(function*() {
      const { disk, first, paths, store, top, write } = yield* running
      yield* freezeStore(paths, top)
      write("later!")
      assert.deepStrictEqual([textOf(first), textOf(top)], ["before", "later!"])
      assert.isTrue(isOneFile(top, store))
      assert.strictEqual(fs.statSync(first).mode & 0o7777, 0o444)
      assert.strictEqual(fs.statSync(first).size, wholeBytes)
      assert.sameMembers(fs.readdirSync(disk), ["0.store", "1.store", "seed.ext4"])
    }))

  it.live("each of several freezes keeps its moment", () =>
    Effect.gen(function*() {
      const { layer, paths, top, write, first } = yield* running
      const tops = [top, layer("2.store", ""), layer("3.store", "")]
      for (const [at, next] of tops.entries()) {
        write(`state${at}`)
        yield* freezeStore(paths, next)
      }
      write("at end")
      assert.deepStrictEqual([first, ...tops].map(textOf), ["state0", "state1", "state2", "at end"])
    }))

  it.live("a frozen layer is a copy, which other folders may link before the VM writes on", () =>
    Effect.gen(function*() {
      const { directory, first, paths, top, write } = yield* running
      yield* freezeStore(paths, top)
      const shared = path.join(directory, "shared")
      fs.linkSync(first, shared)
      write("later!")
      assert.strictEqual(textOf(shared), "before")
    }))

  it.live("a crash at any step leaves a disk whose newest content is whole, and the next freeze is complete", () =>
    Effect.gen(function*() {
      let crashes = 0
      for (let at = 0;; at++) {
        const { disk, layer, paths, seed, store, top, write } = yield* running
        write("newest")
        if ((yield* crashingAt(at, freezeStore(paths, top)))._tag === "Success") break
        crashes++
        const found = yield* readWorkspaceDisk(disk, virtualBytes)
        const files = [...found.layers, found.top]
        const newest = files.findLast((file) => fs.statSync(file).size > 0)!
        assert.strictEqual(textOf(newest), "newest", `step ${at}`)
        // The VM lives on, and a later freeze finds its store.
        const next = layer("2.store", "")
        yield* freezeStore(paths, next)
        write("beyond")
        assert.isTrue(isOneFile(next, store))
        assert.strictEqual(textOf(files.findLast((file) => fs.statSync(file).size > 0)!), "newest", `step ${at}`)
        yield* placeDisk(paths, ownUid, { seed, layers: files.slice(0, 2), top: undefined })
        assert.strictEqual(textOf(store), "newest", `step ${at}`)
      }
      assert.isAtLeast(crashes, 6)
    }))

  it.live("a file that Firecracker has put in the store's place is neither read nor given a name", () =>
    Effect.gen(function*() {
      for (const kind of ["link", "file"] as const) {
        const { directory, disk, first, paths, store, top } = yield* running
        const secret = path.join(directory, "secret")
        fs.writeFileSync(secret, "of the host")
        fs.rmSync(store)
        if (kind === "link") fs.symlinkSync(secret, store)
        else fs.writeFileSync(store, "another")
        assert.deepInclude(yield* Effect.flip(freezeStore(paths, top)), { _tag: "VmFailed", step: "freeze disk" })
        assert.deepStrictEqual([textOf(first), textOf(top)], ["before", ""])
        assert.sameMembers(fs.readdirSync(disk), ["0.store", "1.store", "seed.ext4"])
      }
    }))
})
