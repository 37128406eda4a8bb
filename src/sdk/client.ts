import { Effect, Layer, Option } from "effect"
import * as Socket from "effect/socket/Socket"
import { DaemonUnavailable, type PyroError } from "../contract/errors/errors.ts"
import { callFromPull } from "../contract/rows/event-batches.ts"
import type { Operation } from "../contract/rows/operations.ts"
import { mapCalls, Pyro } from "../contract/rows/Pyro.ts"
import { HELLO, type Hello } from "../contract/wire/rpcs.ts"
import { daemonFiles, Paths, pathVariables } from "../system/files/Paths.ts"
import { startVariables, type Variables } from "../system/processes/start-variables.ts"
import { processEnvironment } from "../system/settings/config.ts"
import { deadlineScale } from "../system/settings/deadline-scale.ts"
import { streaming, unary } from "./calls.ts"
import { connect, type OpenConnection, socketOf, socketTo } from "./connection/connection.ts"
import { isLost, type RequestFailure } from "./connection/failures.ts"
import type { Connection, Far } from "./connection/over.ts"
import { PATIENCE_MS } from "./connection/patience.ts"
import { type HoldTimes, type Link, makeResuming } from "./connection/resuming.ts"
import { makeSession, type Session } from "./connection/session.ts"
import { makeExec } from "./exec.ts"
import { daemonProcess, daemonRuns as runs, ensureDaemon, type StartDaemon } from "./model/start-daemon.ts"
import type { BegunRequest, StartedExec } from "./model/started-exec.ts"

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
      const session = yield* makeSession(connectionsOf(start, yield* Paths, started?.request))
      return mapCalls((row) => callOf(session, row, started))
    })
  ).pipe(Layer.provide(paths))

/** How often a line to another machine is asked for a sign of life, in ms. Any message of the daemon is one. */
const PING_MS = 10_000

/**
 * How long work outlives a lost line, in seconds. Longer than `PATIENCE_MS` and the time in which a client notices a silent line: the daemon may
 * notice the loss first.
 */
const HOLD_SECONDS = 60

/** Maximum time until the daemon says who it is, in ms. It runs already. */
const HELLO_MS = 30_000 * deadlineScale

/** Maximum characters of a daemon's version that are shown. */
const VERSION_CHARACTERS = 100

/** Asks the daemon at the other end who it is. A line that brings other messages alone is no line to a daemon. */
const hello = (connection: Connection, helloMs: number) =>
  (connection.ask(HELLO, undefined) as Effect.Effect<Hello, RequestFailure>).pipe(
    Effect.timeoutOrElse({
      duration: helloMs,
      orElse: () =>
        Effect.fail(new DaemonUnavailable({ detail: `the daemon has not said its version for ${helloMs / 1000} s` }))
    }),
    Effect.catchIf(
      isLost,
      () => Effect.fail(new DaemonUnavailable({ detail: "the line ended before the daemon's first answer" }))
    ),
    Effect.map(({ daemonId, version }): Hello => ({ daemonId, version: version.slice(0, VERSION_CHARACTERS) }))
  )

/** What the client of another machine's daemon refuses by itself. */
interface Refusals {
  /** The error if a daemon of this version and this program do not talk. @default they always do */
  readonly refuse: (version: string) => PyroError | undefined
  /** The error of a request that must not leave this machine. @default none */
  readonly refuseRequest: (row: Operation, payload: unknown) => PyroError | undefined
}

/** A line cannot be opened. Another error may have a cause that only a person can remove, and says it better. */
const unopened = (failure: PyroError | Socket.SocketError): PyroError =>
  Socket.isSocketError(failure) ? new DaemonUnavailable({ detail: failure.message }) : failure

/**
 * Pyro through the daemon at the other end of a line that may break: `open` makes each connection. Commands, transfers and all other requests go on
 * with the next connection where they were.
 */
export const layerRemote = (
  open: OpenConnection<PyroError | Socket.SocketError>,
  {
    helloMs = HELLO_MS,
    holdSeconds = HOLD_SECONDS,
    patienceMs = PATIENCE_MS,
    pingMs = PING_MS,
    callerHeaders,
    refuse,
    refuseRequest
  }: Partial<HoldTimes & Refusals & Far & { readonly helloMs: number }> = {}
): Layer.Layer<Pyro, PyroError> =>
  Layer.effect(
    Pyro,
    Effect.gen(function*() {
      const session = yield* makeSession(Effect.gen(function*() {
        // Before the connection, which would report that it was lost, and not why.
        const line = yield* Effect.mapError(open, unopened)
        const connection = yield* connect(Effect.succeed(line), undefined, { pingMs, callerHeaders })
        const { daemonId, version } = yield* hello(connection, helloMs)
        const refusal = refuse?.(version)
        if (refusal !== undefined) return yield* Effect.fail(refusal)
        return { connection, daemonId } satisfies Link
      }))
      const resuming = yield* makeResuming(session, { holdSeconds, patienceMs })
      return mapCalls((row) => refusing(row, callOf(resuming, row, undefined), refuseRequest))
    })
  )

type Refuse = NonNullable<Refusals["refuseRequest"]>

/** The same call. It asks the daemon nothing if the request is refused here. */
const refusing = (row: Operation, call: ReturnType<typeof callOf>, refuse: Refuse | undefined) => {
  if (refuse === undefined) return call
  const check = (payload: unknown) =>
    Effect.suspend(() => {
      const refusal = refuse(row, payload)
      return refusal === undefined ? Effect.void : Effect.fail(refusal)
    })
  if (row.kind === "unary") {
    const ask = call as (payload: unknown) => Effect.Effect<unknown, PyroError>
    return (payload: unknown) => Effect.andThen(check(payload), ask(payload))
  }
  const { pull } = call as ReturnType<typeof streaming>
  return callFromPull<unknown, never, PyroError>((payload, input) =>
    Effect.andThen(check(payload), pull!(payload, input))
  )
}

/** Makes connections to the daemon, and starts a new daemon if the old one is gone. The first connection may have been opened before. */
const connectionsOf = (start: StartDaemon, paths: Paths["Service"], begun?: BegunRequest) => {
  let early = begun
  return Effect.suspend(() => {
    if (early === undefined) return Effect.flatMap(ensureDaemon(start), (path) => connect(socketTo(path)))
    const first = connect(socketOf(early.socket), early)
    early = undefined
    return first
  }).pipe(Effect.provideService(Paths, paths))
}

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
