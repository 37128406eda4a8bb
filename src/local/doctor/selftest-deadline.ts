import { Effect } from "effect"
import { VmFailed } from "../../contract/errors/errors.ts"
import { deadlineScale } from "../../system/settings/deadline-scale.ts"

/** What belongs together takes a few seconds, on a busy host under TCG some twenty. */
const timeoutMs = 120_000 * deadlineScale

/** Fails with what was being proved when that does not end: a self-test that stands still would prove nothing. */
export const inTime = <A, E, R>(what: string, proof: Effect.Effect<A, E, R>): Effect.Effect<A, E | VmFailed, R> =>
  Effect.timeoutOrElse(proof, {
    duration: timeoutMs,
    orElse: () =>
      Effect.fail(
        new VmFailed({ step: "selftest", detail: `${what}: not through within ${timeoutMs / 1000} s`, consoleTail: "" })
      )
  })
