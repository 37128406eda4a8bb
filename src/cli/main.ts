import { Cause, Effect, Exit, Layer, Logger } from "effect"
import type { Handover } from "../mcp/handshake/handover.ts"
import type { Recorded } from "../mcp/handshake/recorded.ts"
import { DAEMON } from "../sdk/daemon-command.ts"
import type { StartedExec } from "../sdk/started-exec.ts"
import { cli, type Interruption, type Leaving } from "./cli.ts"
import type { ServePayload } from "./commands.ts"
import { isSignalHeld, passSignal } from "./held-signal.ts"
import { daemonOf, layerFor } from "./homes.ts"
import type { RecordedFields } from "./quick-exec/request.ts"
import { forgetLostTerminal } from "./terminal-lost.ts"
import * as ProcessTerminal from "./terminal-process.ts"
import { dieAtExit } from "./terminal-signal.ts"

/** Signals that end the process, with the status 128 + n of a process that handles them. */
const SIGNALS = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const

/** A launcher such as npm sends on the Ctrl-C that the terminal sends as well: what comes so soon is the same one. */
const SAME_SIGNAL_MS = 100

/** The work that began before this bundle was loaded. */
export interface Early {
  /** A connection that `pyro mcp serve` goes on with. */
  readonly handover?: Handover | undefined
  /** A command that `pyro workspace exec` goes on with. */
  readonly started?: StartedExec | undefined
}

/** What a server of an agent host has of its process. */
interface Host extends Early {
  /** Ignores SIGINT from now on. */
  readonly ignoreInterrupts: () => void
}

/** An agent host is the caller, and what it asks for is the daemon's. */
const serveMcp = (
  { profile, ...binding }: ServePayload,
  version: string,
  build: string,
  { handover, ignoreInterrupts }: Host
) =>
  Effect.gen(function*() {
    // Ctrl-C in a host reaches its servers as well. The host then cancels calls, and tells its servers to end when it does.
    if (process.stdin.isTTY !== true) ignoreInterrupts()
    const { bindProject } = yield* Effect.promise(() => import("../sdk/project.ts"))
    const project = yield* bindProject(binding)
    const [{ serve }, { layerDaemon }, { boundYoungGeneration }] = yield* Effect.promise(() =>
      Promise.all([import("../mcp/serve.ts"), import("../sdk/client.ts"), import("./terminal-memory.ts")])
    )
    boundYoungGeneration()
    yield* serve({ profile, version, project, layer: layerDaemon(daemonOf(build)), handover })
  })

/** `main-0123456789abcdef.cjs` -> `01234567`: builds of one version may differ in what they say to each other. */
const buildOf = (bundle: string) => /-([0-9a-f]{8})/.exec(bundle)?.[1] ?? bundle

/** Read from the host's files when a completion wants them. */
const loadNames = Effect.promise(() => import("../local/names.ts"))
const names = {
  workspaces: Effect.flatMap(loadNames, ({ workspaceNames }) => workspaceNames),
  workspaceIds: Effect.flatMap(loadNames, ({ workspaceIds }) => workspaceIds),
  commands: (workspace: string) => Effect.flatMap(loadNames, ({ commandsOf }) => commandsOf(workspace)),
  snapshots: (workspace: string) => Effect.flatMap(loadNames, ({ snapshotsOf }) => snapshotsOf(workspace)),
  environments: Effect.flatMap(loadNames, ({ environmentNames }) => environmentNames)
}

const programOf = (
  argv: ReadonlyArray<string>,
  version: string,
  build: string,
  interruption: Interruption,
  host: Host
) =>
  argv[0] === DAEMON
    ? Effect.flatMap(
      Effect.promise(() => import("../daemon/main.ts")),
      ({ daemon }) => Effect.map(Effect.interruptible(daemon(build)), (status): Leaving => ({ status }))
    )
    : cli({
      argv,
      version,
      pyro: (operation) => layerFor(operation, build, host.started),
      interruption,
      serveMcp: (payload) => serveMcp(payload, version, build, host),
      names
    })

/** Stdout belongs to the guest's output and to JSON: what is logged goes to stderr. */
const LogToStderr = Logger.replace(Logger.defaultLogger, Logger.withConsoleError(Logger.logfmtLogger))

/** What is answered or asked before this bundle is loaded, by `pyro mcp serve` and `pyro workspace exec`; asked for when pyro is built. */
export const recorded = async (
  version: string
): Promise<{ readonly handshake: Recorded; readonly exec: RecordedFields }> => {
  const [{ recordHandshake }, { recordedFlags }, { recordedExec }] = await Promise.all([
    import("../mcp/record-handshake.ts"),
    import("./recorded-flags.ts"),
    import("./recorded-exec.ts")
  ])
  return { handshake: { flags: recordedFlags(), ...await recordHandshake(version) }, exec: recordedExec() }
}

/** Turns of the loop in which this process takes up a command that it started early. */
const TAKEN_UP_TURNS = 1_000

/** A signal that came while this bundle was loaded, once the command can be asked to end. */
const sendAgain = (signal: NodeJS.Signals, turns = TAKEN_UP_TURNS): void => {
  if (isSignalHeld() || turns === 0) process.kill(process.pid, signal)
  else setImmediate(() => sendAgain(signal, turns - 1))
}

/**
 * The whole program: returns the status to leave with. A signal has a running command asked to end; without one, or after that, it
 * interrupts the work, so that all it holds is released; a further one leaves at once. The process then dies of the signal.
 * `handover` is what `pyro mcp serve` goes on with.
 */
export const main = (
  argv: ReadonlyArray<string>,
  version: string,
  bundle: string,
  early: Early = {}
): Promise<number> => {
  process.once("exit", forgetLostTerminal)
  let received: { readonly name: string; readonly status: number; readonly atMs: number } | undefined
  let isInterrupted = false
  return new Promise((resolve, reject) => {
    const interruption = { signal: () => received }
    const ignored = new Set<string>()
    const { handover, started } = early
    const host: Host = { ...early, ignoreInterrupts: () => void ignored.add("SIGINT") }
    const program = programOf(argv, version, `${version} (${buildOf(bundle)})`, interruption, host).pipe(
      // Within the region that cannot be interrupted: afterwards an interrupted fiber has no result any more.
      Effect.tap(({ signal, status }) =>
        Effect.sync(() => {
          if (signal !== undefined) dieAtExit(signal)
          resolve(status)
        })
      ),
      Effect.uninterruptible
    )
    const fiber = Effect.runFork(Effect.provide(program, Layer.merge(ProcessTerminal.layer, LogToStderr)))
    for (const [name, status] of Object.entries(SIGNALS)) {
      process.on(name, () => {
        const atMs = performance.now()
        if (ignored.has(name)) return
        if (received !== undefined && atMs - received.atMs <= SAME_SIGNAL_MS) return
        if (isInterrupted) {
          dieAtExit(received?.name ?? name)
          process.exit(received?.status ?? status)
        }
        received = { name, status, atMs }
        if (passSignal()) return
        isInterrupted = true
        fiber.unsafeInterruptAsFork(fiber.id())
      })
    }
    handover?.signalsTaken()
    started?.signalsTaken()
    if (started?.signal !== undefined) sendAgain(started.signal)
    fiber.addObserver((exit) => {
      if (Exit.isSuccess(exit)) return
      if (Cause.isInterruptedOnly(exit.cause)) resolve(received?.status ?? SIGNALS.SIGINT)
      else reject(Cause.squash(exit.cause))
    })
  })
}
