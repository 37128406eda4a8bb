import { Deferred, Effect, Exit } from "effect"
import { ChannelFailed } from "../../contract/errors.ts"
import { startTimer } from "../../system/timer.ts"

/**
 * Processes and threads that one command may have, per MiB of its VM: a process takes some 150 KiB at least, so that a fork bomb
 * meets this limit before it has taken all memory.
 */
const PIDS_PER_MIB = 4

export const pidsMaxOf = (memoryMib: number) => Math.max(1024, memoryMib * PIDS_PER_MIB)

/** How long a guest may take beside a command's own time before nobody waits for its start any more; when it starts, it is killed. */
const GRACE_MS = 3_000

const notStartedInTime = Exit.fail(
  new ChannelFailed({ detail: "the guest has not started the command within its time; ask again by its id" })
)

/** Waits for the start as long as it takes; others wait for it no longer than the command's own time. */
export const untilLate = <A, E, B, F>(
  started: Deferred.Deferred<B, F | ChannelFailed>,
  start: Effect.Effect<A, E>,
  timeMs: number
): Effect.Effect<A, E> =>
  Effect.suspend(() => {
    const overdue = startTimer(timeMs + GRACE_MS, () => Deferred.unsafeDone(started, notStartedInTime))
    return Effect.ensuring(start, Effect.sync(overdue.cancel))
  })
