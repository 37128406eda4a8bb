import { Effect, type Scope } from "effect"
import { acquirePlain } from "../../system/waits/effects.ts"
import { clockReader, nowMs } from "../../system/waits/time.ts"

/** Uses of a workspace's VM by operations. An operation that only reads records does not count. */
export interface Uses {
  /** Number of operations that use the VM now. */
  count: number
  /** Time of the last known use, in ms since 1970. */
  lastMs: number
  /** Called at the end of each use, and when a VM becomes the workspace's. */
  readonly onUsed: () => void
}

/** The start of this process counts as a use: clients of its predecessor are about to come back. */
export const makeUses = (onUsed: () => void): Effect.Effect<Uses> =>
  Effect.map(nowMs, (lastMs) => ({ count: 0, lastMs, onUsed }))

type Used = { readonly uses: Uses }

/** Notes a use at this moment. */
export const noteUse = ({ uses }: Used): Effect.Effect<void> =>
  Effect.map(nowMs, (ms) => {
    uses.lastMs = ms
  })

/** Uses a workspace until the Scope closes. An unused workspace may be paused, and a used one is not, unless a request asks for that. */
export const use = ({ uses }: Used): Effect.Effect<void, never, Scope.Scope> =>
  Effect.flatMap(clockReader, (clock) =>
    acquirePlain(
      Effect.sync(() => void uses.count++),
      () => {
        uses.count--
        uses.lastMs = clock.nowMs()
        uses.onUsed()
      }
    ))
