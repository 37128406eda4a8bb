import { Deferred, Effect, Exit } from "effect"
import { ChannelFailed } from "../../../contract/errors/errors.ts"
import { startTimer } from "../../../system/waits/timer.ts"

/**
 * Maximum processes and threads of one command, per MiB of its VM. A process takes at least some 150 KiB, so a fork bomb meets this
 * limit before it has taken all memory.
 */
const PIDS_PER_MIB = 4

export const pidsMaxOf = (memoryMib: number) => Math.max(1024, memoryMib * PIDS_PER_MIB)

/** Maximum wait for a start beyond a command's own timeout. A later start is killed. */
const GRACE_MS = 3_000

const notStartedInTime = Exit.fail(
  new ChannelFailed({ detail: "the guest has not started the command within its time; ask again by its id" })
)

/** Waits for the start without a limit. Callers wait no longer than the command's own timeout. */
export const untilLate = <A, E, B, F>(
  started: Deferred.Deferred<B, F | ChannelFailed>,
  start: Effect.Effect<A, E>,
  timeMs: number
): Effect.Effect<A, E> =>
  Effect.suspend(() => {
    const overdue = startTimer(timeMs + GRACE_MS, () => Deferred.doneUnsafe(started, notStartedInTime))
    return Effect.ensuring(start, Effect.sync(overdue.cancel))
  })
