import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import { execFileSync, spawn } from "node:child_process"
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import { acquireLock, withLock } from "../../../../src/system/files/lock.ts"
import { lapse } from "../../../support/until.ts"

const lockFile = Effect.acquireRelease(
  Effect.sync(() => path.join(fs.mkdtempSync(path.join(os.tmpdir(), "pyro-lock-")), "a.lock")),
  (file) => Effect.sync(() => fs.rmSync(path.dirname(file), { recursive: true }))
)

describe("lock", () => {
  it.live("a lock excludes a second holder until the first releases it", () =>
    Effect.gen(function*() {
      const file = yield* lockFile
      const order: Array<string> = []
      const hold = (name: string) =>
        Effect.gen(function*() {
          order.push(`${name} in`)
          yield* lapse(50)
          order.push(`${name} out`)
        }).pipe(withLock(file, { timeoutMs: 10_000 }))
      yield* Effect.all([hold("a"), hold("b")], { concurrency: 2 })
      assert.deepStrictEqual(order.map((line) => line.slice(2)), ["in", "out", "in", "out"])
    }))

  it.live("a lock request fails at its timeout, and at once with a timeout of 0", () =>
    Effect.gen(function*() {
      const file = yield* lockFile
      yield* acquireLock(file, { timeoutMs: 1000 })
      for (const timeoutMs of [0, 60]) {
        const failure = yield* Effect.flip(Effect.scoped(acquireLock(file, { timeoutMs })))
        assert.strictEqual(failure._tag, "LockTimeout")
      }
    }))

  it.live("a lock excludes other programs, and the death of its holder releases it", () =>
    Effect.gen(function*() {
      const file = yield* lockFile
      yield* Effect.scoped(Effect.gen(function*() {
        yield* acquireLock(file, { timeoutMs: 1000 })
        assert.throws(() => execFileSync("flock", ["--nonblock", file, "true"], { stdio: "ignore" }))
      }))
      execFileSync("flock", ["--nonblock", file, "true"])
      const holder = spawn("flock", [file, "sh", "-c", "echo held; exec sleep 60"], {
        stdio: ["ignore", "pipe", "ignore"]
      })
      yield* Effect.promise(() => new Promise((resolve) => holder.stdout.once("data", resolve)))
      const waiting = yield* Effect.forkChild(Effect.scoped(acquireLock(file, { timeoutMs: 20_000 })))
      // flock runs the command as its child, which has the descriptor too.
      execFileSync("sh", ["-c", `kill -9 $(cat /proc/${holder.pid}/task/${holder.pid}/children) ${holder.pid}`])
      yield* Fiber.join(waiting)
    }))

  it.live("an interrupted lock request leaves nothing", () =>
    Effect.gen(function*() {
      const file = yield* lockFile
      yield* Effect.scoped(Effect.gen(function*() {
        yield* acquireLock(file, { timeoutMs: 1000 })
        const waiting = yield* Effect.forkChild(Effect.scoped(acquireLock(file, { timeoutMs: 60_000 })))
        yield* lapse(50)
        yield* Fiber.interrupt(waiting)
      }))
      yield* Effect.scoped(acquireLock(file, { timeoutMs: 1000 }))
    }))
})
