import { Effect, type Scope } from "effect"
import { acquirePlain } from "../../system/waits/effects.ts"
import { clockReader, nowMs } from "../../system/waits/time.ts"

/** Uses of a workspace's VM by operations. An operation that only reads records does not count. */
export interface Uses {
  /** Number of operations that use the VM now. */
  readonly count: number
  /** Time of the last known use, in ms since 1970. */
  readonly lastMs: number
  /** Called at the end of each use, and when a VM becomes the workspace's. */
  readonly onUsed: () => void
  /** Notes a use at this moment. */
  readonly note: Effect.Effect<void>
  /** Uses the workspace until the Scope closes. An unused workspace may be paused, and a used one is not, unless a request asks for that. */
  readonly use: Effect.Effect<void, never, Scope.Scope>
}

/** The start of this process counts as a use: clients of its predecessor are about to come back. */
export const makeUses = (onUsed: () => void): Effect.Effect<Uses> =>
  Effect.map(nowMs, (createdMs) => {
    let count = 0
    let lastMs = createdMs
    return {
      get count() {
        return count
      },
      get lastMs() {
        return lastMs
      },
      onUsed,
      note: Effect.map(nowMs, (ms) => {
        lastMs = ms
      }),
      use: Effect.flatMap(clockReader, (clock) =>
        acquirePlain(
          Effect.sync(() => void count++),
          () => {
            count--
            lastMs = clock.nowMs()
            onUsed()
          }
        ))
    }
  })

/**
 * Whether this process was absent for so large a part of a time without a use that the signs of life of a program, which come three times in it,
 * could not come. The host slept, the process was stopped, or the clock was set forward.
 */
export const sleptThrough = (absentMs: number, seconds: number): boolean => absentMs >= seconds * 500
