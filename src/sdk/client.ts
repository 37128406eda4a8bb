import { Effect, Layer, Option } from "effect"
import type { PyroError } from "../contract/errors/errors.ts"
import type { Operation } from "../contract/rows/operations.ts"
import { mapCalls, Pyro } from "../contract/rows/Pyro.ts"
import { daemonFiles, Paths, pathVariables } from "../system/files/Paths.ts"
import { startVariables, type Variables } from "../system/processes/start-variables.ts"
import { processEnvironment } from "../system/settings/config.ts"
import { deadlineScale } from "../system/settings/deadline-scale.ts"
import { streaming, unary } from "./calls.ts"
import { connect, socketTo } from "./connection/connection.ts"
import { makeSession, type Session } from "./connection/session.ts"
import { makeExec } from "./exec.ts"
import { daemonProcess, daemonRuns as runs, type StartDaemon } from "./model/start-daemon.ts"
import type { StartedExec } from "./model/started-exec.ts"

const isResumable = ({ resumable }: { readonly resumable?: true }) => resumable === true

const callOf = (session: Session, row: Operation, started: StartedExec | undefined) =>
  row.kind === "unary"
    ? unary(session, row)
    : isResumable(row)
    ? makeExec(session, row, started)
    : streaming(session, row)

/** Pyro through the daemon of this installation. Starts the daemon if none runs. `paths`: of another state directory. */
export const layerDaemon = (
  start: StartDaemon,
  started?: StartedExec,
  paths: Layer.Layer<Paths, PyroError> = Paths.layer
): Layer.Layer<Pyro, PyroError> =>
  Layer.effect(
    Pyro,
    Effect.gen(function*() {
      // The session outlives this Effect, so it gets its services now.
      const session = yield* makeSession(start, yield* Paths, started?.request)
      return mapCalls((row) => callOf(session, row, started))
    })
  ).pipe(Layer.provide(paths))

/** Whether a daemon of this version already runs, so that a request starts none. */
export const daemonRuns = (version: string) => Effect.provide(runs(version), Paths.layer)

/** The variables that the running daemon was started with; undefined if none runs. `version`: only of a daemon of this version. */
export const daemonVariables = (version?: string): Effect.Effect<Variables | undefined, PyroError> =>
  Effect.map(
    Effect.provide(daemonProcess(version), Paths.layer),
    (process) => Option.isNone(process) ? undefined : startVariables(process.value)
  )

/** The variables of this process, with pyro's directories as they are in force. */
export const ownVariables: Effect.Effect<Readonly<Record<string, string | undefined>>, PyroError> = Effect.map(
  Paths,
  (paths) => ({ ...processEnvironment(), ...pathVariables(paths) })
).pipe(Effect.provide(Paths.layer))

/** A daemon that hangs or leaves must not delay its observer. */
const answerTimeoutMs = 2_000 * deadlineScale

/** The daemon's answer to one request. None if no daemon of this version runs or answers soon. Starts no daemon. */
export const askRunning = (
  version: string,
  operation: string,
  payload: unknown
): Effect.Effect<Option.Option<unknown>> =>
  Effect.scoped(Effect.gen(function*() {
    if (!(yield* daemonRuns(version))) return Option.none<unknown>()
    const { ask } = yield* connect(socketTo((yield* daemonFiles).socket))
    return yield* Effect.asSome(ask(operation, payload))
  })).pipe(
    Effect.timeout(answerTimeoutMs),
    Effect.catchCause((cause) => Effect.as(Effect.logDebug(cause), Option.none<unknown>())),
    Effect.provide(Paths.layer),
    Effect.orElseSucceed(() => Option.none<unknown>())
  )
