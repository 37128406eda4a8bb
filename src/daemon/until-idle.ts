import { Effect, Latch } from "effect"
import { Pyro } from "../contract/rows/Pyro.ts"
import { RETIRE_SIGNAL } from "../system/processes/identity.ts"
import { setting } from "../system/settings/config.ts"
import { clockReader } from "../system/waits/time.ts"
import type { RequestTracker } from "./request-tracker.ts"

/** By then whoever started a daemon has asked it for something, in ms. */
const LEAST_IDLE_MS = 100
/** How long a daemon without workspaces and requests stays, in ms: the next command is quicker for it. */
const idleTime = Effect.map(setting("PYRO_DAEMON_IDLE_MS"), (ms) => Math.max(LEAST_IDLE_MS, ms))

/** Longest time between two looks at the workspaces, in ms. A workspace that stopped by itself is noticed this late, and a look takes some 5 ms. */
const LOOK_EVERY_MS = 15_000
/** By then the answer to the last request has been written, in ms. */
const ANSWERED_MS = 50

/** Whether somebody has asked to leave once nothing is held, instead of after a while. */
const retirement = Effect.map(
  Effect.acquireRelease(
    Effect.sync(() => {
      const asked = Latch.makeUnsafe()
      const listener = () => void asked.openUnsafe()
      process.on(RETIRE_SIGNAL, listener)
      return { asked, listener }
    }),
    ({ listener }) => Effect.sync(() => process.off(RETIRE_SIGNAL, listener))
  ),
  ({ asked }) => asked
)

/** Ends when there has been nothing to hold for a while, or nothing is held and somebody asks; at that moment it calls `close`. */
export const untilIdle = (requests: RequestTracker, close: Effect.Effect<void>) =>
  Effect.gen(function*() {
    const pyro = yield* Pyro
    const idleMs = yield* idleTime
    const asked = yield* retirement
    const { monotonicMs } = yield* clockReader
    let heldAtMs = monotonicMs()
    /** Time until the next look; 0 when it is time to leave. */
    const look = Effect.gen(function*() {
      const lookedAtMs = monotonicMs()
      const { workspaces } = yield* pyro.workspace.list({ labels: {} })
      // From here to `close` nothing else happens: a request comes before, and is seen, or after, and is refused.
      const since = requests.idleSinceMs()
      const held = workspaces.some(({ state }) => state !== "stopped" && state !== "failed")
      // What was done meanwhile is not in the list.
      const busy = held || since === undefined || since > lookedAtMs
      if (busy) {
        heldAtMs = monotonicMs()
        asked.closeUnsafe()
      }
      const stayMs = asked.isOpen() ? ANSWERED_MS : idleMs
      const restMs = busy ? stayMs : Math.max(heldAtMs, since) + stayMs - monotonicMs()
      if (restMs <= 0) yield* close
      return Math.max(0, restMs)
    })
    const wait = (restMs: number) => {
      const slept = Effect.sleep(Math.min(LOOK_EVERY_MS, restMs))
      return asked.isOpen() ? slept : Effect.raceFirst(slept, asked.await)
    }
    const looks: Effect.Effect<void, Effect.Error<typeof look>> = Effect.flatMap(
      look,
      (restMs) => restMs === 0 ? Effect.void : Effect.andThen(wait(restMs), looks)
    )
    yield* looks
    yield* Effect.logInfo("nothing is left to hold: leaving")
  })
