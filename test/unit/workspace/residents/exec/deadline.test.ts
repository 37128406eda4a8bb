import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Fiber, Stream } from "effect"
import { TestClock } from "effect/testing"
import type { GuestProcess, ProcessExit } from "../../../../../src/guest-channel/process.ts"
import { logLimits, LogStore } from "../../../../../src/output-log/store.ts"
import { nowMs } from "../../../../../src/system/waits/time.ts"
import { endingOptions } from "../../../../../src/workspace/residents/command.ts"
import { follow } from "../../../../../src/workspace/residents/exec/follow.ts"
import { temporaryDirectory } from "../../../disk/temporary-directory.ts"

const id = "0".repeat(31) + "1"

/** A process that notes what is done to it; `stubborn` heeds no signal, and ends when it is killed. */
const makeProcess = (isStubborn: boolean) =>
  Effect.gen(function*() {
    const ended = yield* Deferred.make<ProcessExit>()
    const done: Array<string> = []
    const end = (code: number) =>
      Deferred.succeed<ProcessExit, never>(ended, { _tag: "signaled", code, durationMs: 60_000 })
    const process = {
      id,
      pid: 1,
      output: Stream.empty,
      forEachOutput: () => Effect.asVoid(Deferred.await(ended)),
      keepFrom: () => {},
      stdinOffset: 0,
      stdinSent: () => 0,
      writeStdin: () => Effect.void,
      tryWriteStdin: () => true,
      endStdin: Effect.void,
      resize: () => Effect.void,
      signal: (signal) =>
        Effect.suspend(() => {
          done.push(String(signal))
          return isStubborn ? Effect.void : Effect.asVoid(end(15))
        }),
      kill: Effect.suspend(() => {
        done.push("kill")
        return Effect.asVoid(end(9))
      }),
      exit: Deferred.await(ended),
      release: Effect.void
    } as GuestProcess
    return { process, done }
  })

/** Follows a process that has a minute, and then `graceMs` for its handlers. */
const followed = (isStubborn: boolean, graceMs: number) =>
  Effect.gen(function*() {
    const folder = yield* temporaryDirectory
    const log = new LogStore(folder, logLimits, []).create(id)
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
