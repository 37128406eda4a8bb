import { Deferred, Effect, type Scope } from "effect"
import { settleAfterwards } from "../../system/waits/afterwards.ts"
import { monotonicMs } from "../../system/waits/time.ts"

/** Pause before a process that has ended is started again, in ms. It doubles while the process ends soon. */
const FIRST_PAUSE_MS = 250
const LONGEST_PAUSE_MS = 30_000
const SOON_MS = 10_000

/** Keeps a process running until the Scope closes. Gives the process of the moment. */
export const keepRunning = <Process extends { readonly stop: () => void }>(
  name: string,
  start: (onEnd: (detail: string) => void) => Process
): Effect.Effect<() => Process, never, Scope.Scope> =>
  Effect.gen(function*() {
    const begin = Effect.gen(function*() {
      const ended = Deferred.makeUnsafe<string>()
      const process = start((detail) => settleAfterwards(ended, Effect.succeed(detail)))
      return { process, ended: Deferred.await(ended), sinceMs: yield* monotonicMs }
    })
    let current = yield* begin
    let pauseMs = FIRST_PAUSE_MS
    yield* Effect.addFinalizer(() => Effect.sync(() => current.process.stop()))
    yield* Effect.gen(function*() {
      const detail = yield* current.ended
      yield* Effect.logWarning(`${name} ended and is started again: ${detail}`)
      const ranMs = (yield* monotonicMs) - current.sinceMs
      pauseMs = ranMs < SOON_MS ? Math.min(pauseMs * 2, LONGEST_PAUSE_MS) : FIRST_PAUSE_MS
      yield* Effect.sleep(pauseMs)
      current = yield* begin
    }).pipe(Effect.forever, Effect.forkScoped)
    return () => current.process
  })
