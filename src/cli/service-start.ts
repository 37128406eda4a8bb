import { Effect } from "effect"
import type { PyroError } from "../contract/errors/errors.ts"
import type { PyroService } from "../contract/rows/Pyro.ts"
import { waitingText } from "../contract/rows/resident-text.ts"
import type { ServiceInfo } from "../contract/rows/service-fields.ts"
import type { ServiceStartPayload } from "../contract/rows/workspace-service.ts"
import { note } from "./print.ts"
import { makeProgress } from "./progress.ts"
import { Terminal } from "./terminal.ts"

/** Silence before the first line, in seconds, and between the lines: on a terminal each line takes the place of the one before. */
const FIRST_SECONDS = 1
const TERMINAL_SECONDS = 1
const FILE_SECONDS = 10

/** Time for an interrupted service to end, in seconds: more than `service stop` takes for a program that ignores SIGTERM. */
const STOP_SECONDS = 15

/** Says what the work waits for, and for how long, until the work is done. */
const withWaiting = <A, E>(text: string | undefined, work: Effect.Effect<A, E>) =>
  Effect.gen(function*() {
    if (text === undefined) return yield* work
    const progress = yield* makeProgress
    const everySeconds = (yield* Terminal).stderrIsTerminal ? TERMINAL_SECONDS : FILE_SECONDS
    const tick = (waitSeconds: number, seconds: number): Effect.Effect<never> =>
      Effect.sleep(waitSeconds * 1_000).pipe(
        Effect.andThen(
          progress.show({ _tag: "Notice", level: "progress", message: `${text}, ${seconds + waitSeconds} s` })
        ),
        Effect.andThen(Effect.suspend(() => tick(everySeconds, seconds + waitSeconds)))
      )
    return yield* Effect.raceFirst(work, tick(FIRST_SECONDS, 0)).pipe(Effect.ensuring(progress.clear))
  })

/** The daemon stops a service whose start is interrupted. Waits for its end, so that the person knows. */
const tellStop = (pyro: PyroService, { name, workspace }: ServiceStartPayload) =>
  Effect.gen(function*() {
    yield* note(`\npyro: stopping ${name}, because its start was interrupted\n`)
    const live = pyro.workspace.service.status({ workspace, name }).pipe(
      Effect.map(({ state }) => state === "starting" || state === "ready" || state === "running")
    )
    const ended = Effect.repeat(Effect.tap(live, () => Effect.sleep("50 millis")), { while: (isLive) => isLive })
    yield* Effect.timeout(Effect.interruptible(ended), `${STOP_SECONDS} seconds`)
    yield* note(`pyro: ${name} is stopped. Its log: pyro service logs ${workspace} ${name}\n`)
  }).pipe(
    Effect.catch(() => note(`pyro: see what became of ${name}: pyro service status ${workspace} ${name}\n`))
  )

/** Starts a service: says what it waits for, and after an interruption that the service is stopped. */
export const performServiceStart = (pyro: PyroService, payload: ServiceStartPayload): Effect.Effect<
  ServiceInfo,
  PyroError,
  Terminal
> =>
  withWaiting(waitingText(payload), pyro.workspace.service.start(payload)).pipe(
    Effect.onInterrupt(() => tellStop(pyro, payload))
  )
