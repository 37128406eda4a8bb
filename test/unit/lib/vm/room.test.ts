import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as fs from "node:fs"
import { Pool } from "../../../../src/lib/vm/Pool.ts"
import { type FutureVm, roomFor } from "../../../../src/lib/vm/room.ts"
import { Paths } from "../../../../src/system/files/Paths.ts"
import { temporaryDirectory } from "../disk/temporary-directory.ts"

/** More than any host or memory store has. */
const tooMuch = 1_000_000_000

const size: FutureVm = { driver: "qemu", memoryMib: 1, vcpuCount: 1 }

/** Looks for room on a host without VMs. Gives what the look leaves there. */
const look = (vm: FutureVm) =>
  Effect.gen(function*() {
    const folder = yield* temporaryDirectory
    const demand = yield* Effect.provideService(roomFor(vm), Paths, {
      stateDir: folder,
      cacheDir: folder,
      memoryDir: folder
    })
    yield* demand
    return fs.readdirSync(folder)
  })

describe("a look for room before long work", () => {
  it.live("refuses what the admission refuses, with the same errors", () =>
    Effect.gen(function*() {
      const memoryMib = tooMuch
      assert.deepInclude(yield* Effect.flip(look({ ...size, memoryMib })), { _tag: "NoSpace", where: "memory store" })
      assert.deepInclude(yield* Effect.flip(look({ ...size, memoryMib, driver: "firecracker" })), {
        _tag: "AdmissionRefused",
        resource: "memory"
      })
      assert.deepInclude(yield* Effect.flip(look({ ...size, vcpuCount: tooMuch })), {
        _tag: "AdmissionRefused",
        resource: "cpu"
      })
    }))

  it.live("reserves nothing", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* look(size), [])
    }))

  it.live("lets the members of the pool make room", () =>
    Effect.gen(function*() {
      let emptied = 0
      const withRoom: Pool["Service"]["withRoom"] = (attempt) =>
        Effect.tapError(attempt, () => Effect.sync(() => emptied++))
      const pooled = (vm: FutureVm) => Effect.provideService(look(vm), Pool, { withRoom } as Pool["Service"])
      yield* pooled(size)
      assert.strictEqual(emptied, 0)
      yield* Effect.flip(pooled({ ...size, memoryMib: tooMuch }))
      assert.strictEqual(emptied, 1)
    }))
})
