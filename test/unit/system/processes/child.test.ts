import { assert, describe, it } from "@effect/vitest"
import { Effect, Schedule } from "effect"
import { existsSync } from "node:fs"
import { runTool } from "../../../../src/system/processes/child.ts"

describe("a host program", () => {
  it.live("a host program's output is whole, and its leftover processes are killed at its end", () =>
    Effect.gen(function*() {
      const { stdout } = yield* runTool("sh", ["-c", "sleep 600 & echo $!"]).pipe(Effect.timeout("10 seconds"))
      const left = Number(stdout.toString())
      assert.isAbove(left, 1)
      // Killed with the group; reaped by init a moment later.
      yield* Effect.suspend(() => existsSync(`/proc/${left}/exe`) ? Effect.fail("it still runs") : Effect.void).pipe(
        Effect.retry(Schedule.spaced("10 millis").pipe(Schedule.upTo({ duration: "5 seconds" })))
      )
    }))

  it.live("a failed host program's error has its stderr", () =>
    Effect.gen(function*() {
      const failure = yield* Effect.flip(runTool("sh", ["-c", "echo why >&2; exit 3"]))
      assert.strictEqual(failure._tag === "ToolFailed" && failure.code, 3)
      assert.include(failure.message, "why")
    }))
})
