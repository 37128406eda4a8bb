import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Fiber, Scope } from "effect"
import { spawn } from "node:child_process"
import * as fs from "node:fs"
import * as path from "node:path"
import { makeTemporary, sweepTemporaries } from "../../../../src/system/files/temporary.ts"
import { scratch } from "../../lib/environment/scratch.ts"

const entries = (folder: string) => fs.readdirSync(folder).filter((name) => name !== ".lock")

describe("working folders", () => {
  it.live("a temporary directory and its lock file are removed when the Scope closes", () =>
    Effect.gen(function*() {
      const parent = path.join(yield* scratch, "tmp")
      yield* Effect.scoped(Effect.gen(function*() {
        const work = yield* makeTemporary(parent, "debian:12")
        fs.writeFileSync(path.join(work.path, "file"), "x")
        assert.lengthOf(entries(parent), 2)
      }))
      assert.deepStrictEqual(entries(parent), [])
    }))

  it.live("a sweep keeps a temporary directory whose owner lives, also in the same process", () =>
    Effect.gen(function*() {
      const parent = path.join(yield* scratch, "tmp")
      const work = yield* makeTemporary(parent, "alive")
      assert.strictEqual(yield* sweepTemporaries(parent), 0)
      assert.isTrue(fs.existsSync(work.path))
    }))

  it.live("a sweep leaves a temporary directory to an owner that is removing it", () =>
    Effect.gen(function*() {
      const parent = path.join(yield* scratch, "tmp")
      const scope = yield* Scope.make()
      const work = yield* Scope.provide(makeTemporary(parent, "full"), scope)
      for (let at = 0; at < 5_000; at++) fs.writeFileSync(path.join(work.path, String(at)), "x")
      const removing = yield* Effect.forkChild(Scope.close(scope, Exit.void))
      let sweeps = 0
      let freedBytes = 0
      while (fs.existsSync(work.path)) {
        freedBytes += yield* sweepTemporaries(parent)
        sweeps++
      }
      yield* Fiber.join(removing)
      assert.isAtLeast(sweeps, 1)
      assert.strictEqual(freedBytes, 0)
    }))

  it.live("a sweep removes the temporary directory of a killed owner with its content", () =>
    Effect.gen(function*() {
      const parent = path.join(yield* scratch, "tmp")
      const folder = path.join(parent, "dead-0123456789ab")
      fs.mkdirSync(path.join(folder, "deep"), { recursive: true })
      fs.writeFileSync(path.join(folder, "deep", "file"), Buffer.alloc(100_000))
      const owner = spawn("flock", [`${folder}.alive`, "cat"], { stdio: ["pipe", "pipe", "inherit"] })
      // cat answers only once flock holds the lock.
      yield* Effect.promise(() =>
        new Promise((resolve) => {
          owner.stdout.once("data", resolve)
          owner.stdin.write("x")
        })
      )
      assert.strictEqual(yield* sweepTemporaries(parent), 0)
      assert.isTrue(fs.existsSync(folder))
      const gone = new Promise((resolve) => owner.once("close", resolve))
      owner.stdin.end()
      owner.kill("SIGKILL")
      yield* Effect.promise(() => gone)
      assert.isAtLeast(yield* sweepTemporaries(parent), 100_000)
      assert.deepStrictEqual(entries(parent), [])
    }))

  it.live("a sweep removes a lock file without its directory", () =>
    Effect.gen(function*() {
      const parent = path.join(yield* scratch, "tmp")
      fs.mkdirSync(parent)
      fs.writeFileSync(path.join(parent, "half-0123456789ab.alive"), "")
      yield* sweepTemporaries(parent)
      assert.deepStrictEqual(entries(parent), [])
    }))
})
