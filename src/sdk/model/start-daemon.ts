import { Effect, Option, Schedule, Schema } from "effect"
import {
  DaemonMismatch,
  DaemonUnavailable,
  type HostToolMissing,
  type InvalidConfiguration,
  type PyroError
} from "../../contract/errors/errors.ts"
import { command } from "../../contract/errors/next-step.ts"
import { typed } from "../../contract/text/printable.ts"
import { readJson } from "../../system/files/atomic-file.ts"
import { readTail } from "../../system/files/line-log.ts"
import { daemonFiles, Paths, pathVariables } from "../../system/files/Paths.ts"
import { startDetached } from "../../system/processes/detached.ts"
import { isAlive, ProcessIdentity, RETIRE_SIGNAL, signalIdentity } from "../../system/processes/identity.ts"
import { nodeProgram } from "../../system/processes/runtime.ts"
import { connectUnix } from "../../system/processes/unix-socket.ts"
import { checkSettings } from "../../system/settings/config.ts"
import { deadlineScale } from "../../system/settings/deadline-scale.ts"

/** How to start a daemon if none runs. */
export interface StartDaemon {
  readonly version: string
  /** Fail if no daemon of this version runs. @default false */
  readonly onlyRunning?: boolean | undefined
  /** Maximum wait for a started daemon. @default 60 s, times the scale of deadlines */
  readonly timeoutMs?: number | undefined
  /** Program and arguments. It becomes the daemon and runs while it holds work. Node stands in for this program's own runtime. */
  readonly command: readonly [string, ...ReadonlyArray<string>]
}

/** The part of a daemon's record that every version has. */
const Announced = Schema.Struct({ process: ProcessIdentity, version: Schema.String })

/** The adoption of many workspaces after a crash takes a while. */
const startTimeoutMs = 60_000 * deadlineScale
const retireTimeoutMs = 2_000

const gone = (identity: ProcessIdentity, timeoutMs: number) =>
  Effect.sync(() => isAlive(identity)).pipe(
    Effect.repeat({ while: (alive) => alive, schedule: Schedule.spaced("5 millis") }),
    Effect.as(true),
    Effect.timeoutOrElse({ duration: timeoutMs, orElse: () => Effect.succeed(false) })
  )

/** An idle daemon of another version leaves. A busy one stays. */
const checkVersion = (record: string, own: string) =>
  Effect.gen(function*() {
    const found = yield* Effect.orElseSucceed(readJson(record, Announced), () => Option.none<typeof Announced.Type>())
    if (Option.isNone(found) || found.value.version === own || !isAlive(found.value.process)) return
    const { process, version } = found.value
    signalIdentity(process, RETIRE_SIGNAL)
    if (!(yield* gone(process, retireTimeoutMs))) {
      return yield* new DaemonMismatch({ running: version, own, detail: "it holds running workspaces" })
    }
  })

/** Finds a daemon, and does nothing to one of another version. */
const demandRunning = (record: string, own: string, socket: string) =>
  Effect.gen(function*() {
    const found = yield* Effect.orElseSucceed(readJson(record, Announced), () => Option.none<typeof Announced.Type>())
    if (Option.isSome(found) && found.value.version !== own && isAlive(found.value.process)) {
      return yield* new DaemonMismatch({ running: found.value.version, own, detail: "this program starts none" })
    }
    const { stateDir } = yield* Paths
    const absent = new DaemonUnavailable({
      detail: `no daemon runs for ${stateDir}, and this program starts none`,
      next: [command("Start one", `PYRO_STATE_DIR=${typed([stateDir])} pyro list`)]
    })
    yield* Effect.mapError(Effect.scoped(connectUnix(socket)), () => absent)
    return socket
  })

/** The process of the daemon that runs. `own`: only one of this version. */
export const daemonProcess = (own?: string) =>
  Effect.gen(function*() {
    const { record } = yield* daemonFiles
    const found = yield* Effect.orElseSucceed(readJson(record, Announced), () => Option.none<typeof Announced.Type>())
    return Option.map(
      Option.filter(found, ({ process, version }) => (own ?? version) === version && isAlive(process)),
      ({ process }) => process
    )
  })

/** Whether a daemon of this version runs already. */
export const daemonRuns = (own: string) => Effect.map(daemonProcess(own), Option.isSome)

/** Each attempt costs processor time, which the daemon needs for its start. So the time between two is a twentieth of the wait so far. */
const attempts = Schedule.min([Schedule.exponential("2 millis", 1.05), Schedule.spaced("100 millis")])

/** Makes sure that a daemon of this version listens; gives the path of its socket. */
export const ensureDaemon = (start: StartDaemon): Effect.Effect<string, PyroError, Paths> =>
  Effect.gen(function*() {
    const { log, record, socket } = yield* daemonFiles
    if (start.onlyRunning === true) return yield* demandRunning(record, start.version, socket)
    const { timeoutMs = startTimeoutMs } = start
    // The daemon has another working directory, so relative paths must become absolute here.
    const variables = pathVariables(yield* Paths)
    yield* checkVersion(record, start.version)
    const answers = Effect.scoped(connectUnix(socket))
    const [program, ...words] = start.command
    const started: Effect.Effect<void, DaemonUnavailable | HostToolMissing | InvalidConfiguration> = Effect.gen(
      function*() {
        // The daemon inherits the variables, and only its log would have its refusal.
        yield* checkSettings
        const command = [program === process.execPath ? yield* nodeProgram : program, ...words] as const
        const child = yield* startDetached({ command, env: variables, log })
        const status = yield* answers.pipe(
          Effect.retry(attempts),
          Effect.as(undefined),
          Effect.mapError(({ message }) => new DaemonUnavailable({ detail: message })),
          Effect.raceFirst(child.ended)
        )
        if (status === undefined) return yield* child.release
        if (status !== 0) {
          const detail = typeof status === "string"
            ? `it was ended by ${status} as soon as it was started; ask again`
            : `it ended with status ${status}: ${lastMessage(readTail(log, 4096))}`
          return yield* new DaemonUnavailable({ detail })
        }
        // Another daemon has the workspaces: it will soon answer or leave.
        yield* Effect.retry(answers, {
          schedule: Schedule.spaced("10 millis").pipe(Schedule.upTo({ duration: "500 millis" }))
        }).pipe(
          Effect.catch(() => started)
        )
      }
    )
    yield* answers.pipe(
      Effect.catch(() =>
        Effect.timeoutOrElse(started, {
          duration: timeoutMs,
          orElse: () => Effect.fail(new DaemonUnavailable({ detail: `it does not answer after ${timeoutMs} ms` }))
        })
      )
    )
    return socket
  })

/** Message of a log's last line, without time and level. */
const lastMessage = (text: string) => {
  const line = text.trim().split("\n").at(-1) ?? ""
  const [, quoted] = / message=("(?:[^"\\]|\\.)*")/.exec(line) ?? []
  return quoted === undefined
    ? line
    : Option.getOrElse(Option.liftThrowable(() => String(JSON.parse(quoted)))(), () => line)
}
