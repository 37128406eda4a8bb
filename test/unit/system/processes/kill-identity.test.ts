import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { spawn } from "node:child_process"
import { once } from "node:events"
import { isAlive, processIdentity } from "../../../../src/system/processes/identity.ts"
import { killIdentity } from "../../../../src/system/processes/kill-identity.ts"

describe("the end of a process", () => {
  it.live("what is done meanwhile is done once, and not for a process that has ended before", () =>
    Effect.gen(function*() {
      const child = spawn("sleep", ["60"], { stdio: "ignore" })
      const ended = once(child, "exit")
      const identity = processIdentity(child.pid!)!
      let done = 0
      const meanwhile = Effect.sync(() => void done++)
      yield* killIdentity(identity, meanwhile)
      assert.isFalse(isAlive(identity))
      assert.strictEqual(done, 1)
      assert.deepStrictEqual(yield* Effect.promise(() => ended), [null, "SIGKILL"])
      yield* killIdentity(identity, meanwhile)
      assert.strictEqual(done, 1)
    }))
})
