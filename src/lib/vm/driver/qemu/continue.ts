import { Effect, Result } from "effect"
import type { VmFailed } from "../../../../contract/errors/errors.ts"
import { deadlineScale } from "../../../../system/settings/deadline-scale.ts"
import { monotonicMs } from "../../../../system/waits/time.ts"
import { failedAt, vmFailed } from "../../model/failure.ts"
import type { Qmp, QmpFailed } from "./qmp.ts"

/** A cancelled migration of device state ends in ms. A host that swaps needs more. */
const continueTimeoutMs = 30_000 * deadlineScale

const againAfter = "5 millis"

/** Phases of a migration in which it does not touch the guest any more. A QEMU that never migrated names none. */
const isOver = (phase: string | undefined) =>
  phase === undefined || phase === "none" || phase === "completed" || phase === "failed" || phase === "cancelled"

/**
 * States of a guest that only `cont` ends (RunState of QEMU's qapi/run-state.json). All others are the guest's own or have an owner, as a
 * full disk has.
 */
export const awaitsCont = (status: string) =>
  status === "paused" || status === "postmigrate" || status === "finish-migrate"

const statusOf = (qmp: Qmp, command: string) =>
  Effect.map(qmp.execute(command), (answer) => (answer as { readonly status?: string }).status)

/**
 * Ends a migration that an interrupted capture has left. It would stop a guest that continues before its end, and QEMU refuses `cont`
 * in its last steps. Gives whether it is over.
 */
const endMigration = (qmp: Qmp): Effect.Effect<boolean, QmpFailed> =>
  Effect.flatMap(statusOf(qmp, "query-migrate"), (phase) =>
    isOver(phase)
      ? Effect.succeed(true)
      : Effect.as(phase === "cancelling" ? Effect.void : qmp.execute("migrate_cancel"), false))

/**
 * Continues a guest, whatever a capture that ended in the middle has left, and asks QEMU whether it runs. A guest
 * that stands still for another reason, as after a panic, stays so.
 * `giveUp` is told of a guest that QEMU does not continue: all waits for it would last for ever.
 */
export const continueGuest = (
  qmp: Qmp,
  giveUp: (failure: VmFailed) => Effect.Effect<void>
): Effect.Effect<void, VmFailed> =>
  Effect.gen(function*() {
    const deadline = (yield* monotonicMs) + continueTimeoutMs
    let refusal = "its migration does not end"
    while (true) {
      if (yield* endMigration(qmp)) {
        // QEMU refuses it for a moment after the end of a migration.
        const answer = yield* Effect.result(qmp.execute("cont"))
        const status = String(yield* statusOf(qmp, "query-status"))
        if (!awaitsCont(status)) return yield* Effect.fromResult(answer)
        refusal = `it is ${status}${
          Result.isFailure(answer) ? `, and refused to continue: ${answer.failure.detail}` : ""
        }`
      }
      if ((yield* monotonicMs) > deadline) {
        const failure = vmFailed("resume", `QEMU did not continue the guest: ${refusal}`)
        yield* giveUp(failure)
        return yield* failure
      }
      yield* Effect.sleep(againAfter)
    }
  }).pipe(
    Effect.catchTag("QmpFailed", (failure) => Effect.fail(failedAt("resume")(failure))),
    Effect.asVoid,
    // A guest that is resumed only in part stays stopped.
    Effect.uninterruptible
  )
