import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import { TestClock } from "effect/testing"
import { logLimits, LogStore } from "../../../../../src/lib/output-log/store.ts"
import { nowMs } from "../../../../../src/system/waits/time.ts"
import { follow } from "../../../../../src/workspace/residents/exec/follow.ts"
import { endingOptions } from "../../../../../src/workspace/residents/program/command.ts"
import { temporaryDirectory } from "../../../lib/disk/temporary-directory.ts"
import { makeProcess, PROCESS_ID } from "./fake-process.ts"

/** Follows a process that has a minute, and then `graceMs` for its handlers. */
const followed = (isStubborn: boolean, graceMs: number) =>
  Effect.gen(function*() {
    const folder = yield* temporaryDirectory
    const log = new LogStore(folder, logLimits, []).create(PROCESS_ID)
    const { done, process } = yield* makeProcess(isStubborn)
    const startedAtMs = yield* nowMs
    const time = { startedAtMs, deadlineMs: startedAtMs + 60_000, ending: endingOptions({ graceMs }) }
    return { done, fiber: yield* Effect.forkChild(follow(process, log, time)) }
  })

describe("the deadline of a command", () => {
  it.effect("a command gets SIGTERM at its deadline and not before", () =>
    Effect.gen(function*() {
      const { done, fiber } = yield* followed(false, 2_000)
      yield* TestClock.adjust("59999 millis")
      assert.deepStrictEqual(done, [])
      yield* TestClock.adjust("1 millis")
      const end = yield* Fiber.join(fiber)
      assert.strictEqual(done[0], "SIGTERM")
      assert.include(JSON.stringify(end), "timed_out")
    }))

  it.effect("a command that ignores SIGTERM is killed after its grace period", () =>
    Effect.gen(function*() {
      const { done, fiber } = yield* followed(true, 2_000)
      yield* TestClock.adjust("61999 millis")
      assert.deepStrictEqual(done, ["SIGTERM"])
      yield* TestClock.adjust("1 millis")
      yield* Fiber.join(fiber)
      assert.deepStrictEqual(done.slice(0, 2), ["SIGTERM", "kill"])
    }))
})
