import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import { continueGuest } from "../../../../../../src/lib/vm/driver/qemu/continue.ts"
import { type Qmp, QmpFailed } from "../../../../../../src/lib/vm/driver/qemu/qmp.ts"

/** A QEMU whose migration goes through `phases`, one at each look, and whose guest is in `states` after each `cont`. */
const qemuWith = (phases: Array<string>, states: Array<string>) => {
  const sent: Array<string> = []
  let phase = phases.shift()
  let state = "paused"
  const answer = (command: string) => {
    switch (command) {
      case "query-migrate": {
        const now = phase
        phase = phases.shift() ?? phase
        return Effect.succeed(now === undefined ? {} : { status: now })
      }
      case "cont":
        state = states.shift() ?? state
        return state === "finish-migrate"
          ? new QmpFailed({ command, kind: "GenericError", detail: "Migration is not finalized yet" })
          : Effect.succeed({})
      case "query-status":
        return Effect.succeed({ status: state })
      default:
        return Effect.succeed({})
    }
  }
  const qmp: Qmp = {
    execute: (command) =>
      Effect.suspend(() => {
        sent.push(command)
        return Effect.andThen(Effect.yieldNow, answer(command))
      }),
    executeAll: () => Effect.void,
    closed: Effect.never
  }
  return { qmp, sent, state: () => state }
}

const nobody = () => Effect.die("given up")

describe("the end of a pause of QEMU", () => {
  it.live("a guest without a migration continues at once", () =>
    Effect.gen(function*() {
      const { qmp, sent } = qemuWith([], ["running"])
      yield* continueGuest(qmp, nobody)
      assert.deepStrictEqual(sent, ["query-migrate", "cont", "query-status"])
    }))

  it.live("a guest continues only after the end of a migration that an interrupted capture left", () =>
    Effect.gen(function*() {
      const { qmp, sent } = qemuWith(["active", "cancelling", "cancelled"], ["running"])
      yield* continueGuest(qmp, nobody)
      assert.deepStrictEqual(sent, [
        "query-migrate",
        "migrate_cancel",
        "query-migrate",
        "query-migrate",
        "cont",
        "query-status"
      ])
    }))

  it.live("a guest that QEMU does not continue yet is continued again, also by an interrupted fiber", () =>
    Effect.gen(function*() {
      const { qmp, state } = qemuWith(["completed"], ["finish-migrate", "postmigrate", "running"])
      const fiber = yield* Effect.forkChild(continueGuest(qmp, nobody), { startImmediately: true })
      yield* Fiber.interrupt(fiber)
      assert.strictEqual(state(), "running")
    }))

  it.live("a guest that stands still for a reason of its own stays so", () =>
    Effect.gen(function*() {
      const { qmp, sent } = qemuWith([], ["guest-panicked"])
      yield* continueGuest(qmp, nobody)
      assert.strictEqual(sent.filter((one) => one === "cont").length, 1)
    }))
})
