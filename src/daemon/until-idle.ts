import { Effect, Latch } from "effect"
import { payloadOf } from "../contract/rows/payload-of.ts"
import { Pyro } from "../contract/rows/Pyro.ts"
import { RETIRE_SIGNAL } from "../system/processes/identity.ts"
import { setting } from "../system/settings/config.ts"
import { deadlineScale } from "../system/settings/deadline-scale.ts"
import { clockReader } from "../system/waits/time.ts"
import type { RequestTracker } from "./server/request-tracker.ts"

/** Least time that a daemon stays between two requests, in ms. */
const LEAST_IDLE_MS = 100
/**
 * Time in which the client that started a daemon makes its first request, in ms. A busy host may give that client no processor for seconds.
 * Daemons that leave earlier, one after the other, would fail its request.
 */
const FIRST_REQUEST_MS = 10_000 * deadlineScale
/** Time that a daemon stays without workspaces and requests, in ms: the next command is faster. */
const idleTime = Effect.map(setting("PYRO_DAEMON_IDLE_MS"), (ms) => Math.max(LEAST_IDLE_MS, ms))

/** Maximum time between two looks at the workspaces, in ms. A look takes some 5 ms, and notices a workspace that stopped by itself. */
const LOOK_EVERY_MS = 60_000
/** Time in which the answer to the last request is written, in ms. */
const ANSWERED_MS = 50

/** Whether a client of another version has asked the daemon to leave as soon as it holds nothing. */
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

/** Ends after a time in which the daemon held nothing, or at once if it is asked to leave. Calls `close` at that moment. */
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
      const { workspaces } = yield* pyro.workspace.list(payloadOf("workspace.list", {}))
      // No turn of the event loop until `close`: a request comes before and is seen, or comes after and is refused.
      const since = requests.idleSinceMs()
      const held = workspaces.some(({ ports = [], state }) =>
        // A client of a published port resumes a paused workspace, so the daemon has to listen.
        state === "paused" ? ports.length > 0 : state !== "stopped" && state !== "failed"
      )
      // The list lacks the work of requests that came meanwhile.
      const isWatched = requests.hasReaders() && !asked.isOpen()
      const busy = held || isWatched || since === undefined || since > lookedAtMs
      if (busy) {
        heldAtMs = monotonicMs()
        asked.closeUnsafe()
      }
      const awaitsFirst = !requests.wasAsked() && !asked.isOpen()
      const stayMs = asked.isOpen() ? ANSWERED_MS : awaitsFirst ? Math.max(idleMs, FIRST_REQUEST_MS) : idleMs
      const restMs = busy ? stayMs : Math.max(heldAtMs, since) + stayMs - monotonicMs()
      if (restMs <= 0) yield* close
      // From the first request on, the idle time counts.
      return Math.max(0, awaitsFirst ? Math.min(restMs, idleMs) : restMs)
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
