import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import { leaveMemoryStore } from "../../../../../src/lib/vm/model/sweep.ts"
import { haveMemoryDir, memoryDirPrefix, Paths } from "../../../../../src/system/files/Paths.ts"

/** A state directory and a memory store of their own. */
const own = Layer.unwrap(Effect.gen(function*() {
  const folder = yield* Effect.acquireRelease(
    Effect.sync(() => fs.mkdtempSync(path.join(os.tmpdir(), "pyro-store-"))),
    (folder) => Effect.sync(() => fs.rmSync(folder, { recursive: true }))
  )
  const stateDir = path.join(folder, "state")
  const store = path.join(folder, "store")
  fs.mkdirSync(stateDir)
  fs.mkdirSync(store)
  return Layer.succeed(Paths, { stateDir, cacheDir: folder, memoryDir: path.join(store, `${memoryDirPrefix()}1-1`) })
}))

/** A directory beside the own one that nobody changed for `minutes`. */
const beside = (name: string, minutes: number, file?: string) =>
  Effect.map(Paths, ({ memoryDir }) => {
    const directory = path.join(path.dirname(memoryDir), name)
    fs.mkdirSync(directory)
    if (file !== undefined) fs.writeFileSync(path.join(directory, file), "")
    const at = Date.now() / 1000 - minutes * 60
    fs.utimesSync(directory, at, at)
    return directory
  })

describe("the memory store", () => {
  it.effect("the sweep removes the memory directory without VMs, and the next VM makes a new one", () =>
    Effect.gen(function*() {
      const paths = yield* Paths
      yield* haveMemoryDir(paths)
      assert.deepStrictEqual(yield* leaveMemoryStore, [paths.memoryDir])
      assert.deepStrictEqual(yield* leaveMemoryStore, [])
      yield* haveMemoryDir(paths)
      assert.strictEqual(fs.statSync(paths.memoryDir).mode & 0o777, 0o700)
    }).pipe(Effect.provide(own)))

  it.effect("the sweep keeps the memory directory while a VM or a file in it exists", () =>
    Effect.gen(function*() {
      const paths = yield* Paths
      yield* haveMemoryDir(paths)
      const vm = path.join(paths.stateDir, "vms", "vm-0123456789ab")
      fs.mkdirSync(vm, { recursive: true })
      assert.deepStrictEqual(yield* leaveMemoryStore, [])
      fs.rmdirSync(vm)
      fs.writeFileSync(path.join(paths.memoryDir, "vm-0123456789ab"), "")
      assert.deepStrictEqual(yield* leaveMemoryStore, [])
    }).pipe(Effect.provide(own)))

  it.live("the sweep removes other memory directories only if they are empty and unused for an hour", () =>
    Effect.gen(function*() {
      const prefix = memoryDirPrefix()
      const gone = yield* beside(`${prefix}1-2`, 61)
      const kept = [
        yield* beside(`${prefix}1-3`, 59),
        yield* beside(`${prefix}1-4`, 61, "vm-0123456789ab"),
        yield* beside("pyro-4242-1-5", 61),
        yield* beside("something-else", 61)
      ]
      if (process.getuid?.() === 0) {
        const others = yield* beside(`${prefix}1-6`, 61)
        fs.chownSync(others, 4242, 4242)
        kept.push(others)
      }
      fs.symlinkSync(kept[0]!, path.join(path.dirname(gone), `${prefix}1-7`))
      assert.deepStrictEqual(yield* leaveMemoryStore, [gone])
      assert.deepStrictEqual(kept.filter((directory) => !fs.existsSync(directory)), [])
    }).pipe(Effect.provide(own)))
})
