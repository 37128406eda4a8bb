import { Cause, Effect, Exit, Layer, Logger, Option } from "effect"
import { InvalidRequest } from "../contract/errors/errors.ts"
import type { ResultOf } from "../contract/rows/operations.ts"
import { printable } from "../contract/text/printable.ts"
import type { EarlyConnection } from "../mcp/handshake/handshake.ts"
import type { Recorded } from "../mcp/handshake/recorded.ts"
import { DAEMON } from "../sdk/daemon-command.ts"
import type { StartedExec } from "../sdk/model/started-exec.ts"
import { lossyArgument } from "../system/settings/own-bytes.ts"
import { runsMicroVms } from "../system/settings/this-computer.ts"
import { firstWords } from "./arguments/aliases.ts"
import { cli, type ExitPlan, type Interruption } from "./cli.ts"
import { daemonOf, layerChosen, layerFor } from "./homes.ts"
import type { RecordedFrames } from "./quick-exec/frames.ts"
import { commands, type ServePayload } from "./rows/rows.ts"
import { deliverSignal, dieAtExit, forgetLostTerminal, isSignalIntercepted } from "./terminal/exit.ts"
import { filesHere } from "./terminal/files.ts"
import * as ProcessTerminal from "./terminal/process.ts"

/** Signals that end the process, with their exit status 128 + n. */
const SIGNALS = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const

/** A launcher such as npm forwards the terminal's Ctrl-C. A second signal within this time is the same Ctrl-C. */
const SAME_SIGNAL_MS = 100

/** Work that started before this bundle was loaded. */
export interface Early {
  /** The connection of `pyro mcp serve`. */
  readonly earlyConnection?: EarlyConnection | undefined
  /** The command of `pyro exec`. */
  readonly started?: StartedExec | undefined
  /** Path of the program pyro-pending. */
  readonly pendingTool?: string | undefined
}

/** Early work of this process, and control of its signals. Every command has one. */
interface Host extends Early {
  /** Ignores SIGINT from now on. */
  readonly ignoreInterrupts: () => void
}

/** Serves an agent host. The daemon does the work. */
const serveMcp = (
  { mode, profile, ...binding }: ServePayload,
  version: string,
  build: string,
  { earlyConnection, ignoreInterrupts }: Host,
  context: string | undefined
) =>
  Effect.gen(function*() {
    // A host's Ctrl-C also reaches its servers. The host then cancels calls, and ends its servers itself.
    if (process.stdin.isTTY !== true) ignoreInterrupts()
    const { bindWithFile } = yield* Effect.promise(() => import("./project/serve.ts"))
    const bound = (directory?: string) =>
      Effect.map(
        bindWithFile({ ...binding, ...(directory === undefined ? {} : { projectPath: directory }) }),
        ({ note, project }) => {
          // Stdout is the protocol's.
          if (note !== undefined) process.stderr.write(`pyro mcp: ${printable(note)}\n`)
          return project
        }
      )
    const project = yield* bound()
    const [{ serve }, { askRunning, layerDaemon }] = yield* Effect.promise(() =>
      Promise.all([import("../mcp/serve.ts"), import("../sdk/client.ts")])
    )
    ProcessTerminal.boundYoungGeneration()
    const bindRoot = (directory: string) => Effect.runPromise(Effect.orElseSucceed(bound(directory), () => undefined))
    // A list that nobody has asked for connects to no other machine.
    const isHere = !(yield* isElsewhere(context))
    const present = Effect.map(
      isHere ? askRunning(build, "workspace.list", { labels: {} }) : Effect.succeedNone,
      Option.match({
        onNone: (): ResultOf<"workspace.list">["workspaces"] => [],
        onSome: (listed) => (listed as ResultOf<"workspace.list">).workspaces
      })
    )
    const layer = layerChosen(context, build, () => layerDaemon(daemonOf(build)))
    yield* serve({ profile, mode, version, project, bindRoot, present, layer, earlyConnection })
  })

/** `main-0123456789abcdef.cjs` -> `01234567`: builds of one version may differ in their protocol. */
const buildOf = (bundle: string) => /-([0-9a-f]{8})/.exec(bundle)?.[1] ?? bundle

const loadContexts = Effect.promise(() => import("../remote/contexts.ts"))
/** Whether another machine does the work. A context that cannot be read is none of this machine. */
const isElsewhere = (context: string | undefined) =>
  !runsMicroVms() ? Effect.succeed(true) : Effect.flatMap(loadContexts, ({ chosenName }) => chosenName(context)).pipe(
    Effect.match({ onFailure: () => true, onSuccess: (name) => name !== undefined })
  )

/** Names for completion, read from the host's files, or asked of a daemon that runs. */
const loadAsking = Effect.promise(() => import("./asked-names.ts"))
const loadNames = Effect.promise(() => import("../daemon/names.ts"))
const namesFor = (build: string) => ({
  workspaces: Effect.flatMap(loadNames, ({ workspaceNames }) => workspaceNames),
  workspaceIds: Effect.flatMap(loadNames, ({ workspaceIds }) => workspaceIds),
  commands: (workspace: string) => Effect.flatMap(loadNames, ({ commandsOf }) => commandsOf(workspace)),
  snapshots: (workspace: string) => Effect.flatMap(loadNames, ({ snapshotsOf }) => snapshotsOf(workspace)),
  saved: Effect.flatMap(loadNames, ({ savedSnapshots }) => savedSnapshots),
  environments: Effect.flatMap(loadNames, ({ environmentNames }) => environmentNames),
  files: (prefix: string) => Effect.sync(() => filesHere(prefix)),
  contexts: Effect.flatMap(loadContexts, ({ contextNames }) => contextNames),
  isElsewhere,
  services: (workspace: string) => Effect.flatMap(loadAsking, ({ servicesOf }) => servicesOf(build, workspace)),
  guestFiles: (workspace: string, directory: string) =>
    Effect.flatMap(loadAsking, ({ guestFilesOf }) => guestFilesOf(build, workspace, directory))
})

/** Refuses words that are not UTF-8: Node shows other bytes in place of theirs. */
const refusalOf = (argv: ReadonlyArray<string>): InvalidRequest | undefined => {
  const lossy = lossyArgument(argv)
  if (lossy === undefined) return undefined
  const next = "Name the directory of a file with such a name, and pass other bytes in a file or by stdin"
  return new InvalidRequest({
    field: "",
    detail: `argument ${lossy.position} is not UTF-8: ${lossy.text}. pyro takes only UTF-8 as arguments. ${next}`
  })
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
      ({ daemon }) => Effect.map(Effect.interruptible(daemon(build)), (status): ExitPlan => ({ status }))
    )
    : cli({
      argv,
      refusal: refusalOf(argv),
      version,
      pyro: (operation, payload, context) =>
        layerChosen(context, build, () => layerFor(operation, build, host.started, payload)),
      interruption,
      serveMcp: (payload, context) => serveMcp(payload, version, build, host, context),
      serveStdio: Effect.flatMap(
        Effect.promise(() => import("../serve/stdio.ts")),
        ({ serveStdio }) => serveStdio(daemonOf(build))
      ),
      startDaemon: daemonOf(build),
      names: namesFor(build)
    })

/** Logs go to stderr: stdout is for the guest's output and JSON. */
const LogToStderr = Logger.layer([Logger.withConsoleError(Logger.formatLogFmt)])

/** Data that the build records, for aliases, `pyro mcp serve` and `pyro exec` before this bundle is loaded. */
export const recorded = async (
  version: string
): Promise<{
  readonly aliases: ReturnType<typeof firstWords>
  readonly handshake: Recorded
  readonly exec: RecordedFrames
}> => {
  const [{ recordHandshake }, { recordedFlags }, { recordedExec }] = await Promise.all([
    import("../mcp/record-handshake.ts"),
    import("./recorded.ts"),
    import("./recorded.ts")
  ])
  const aliases = firstWords(commands.map((row) => row.cli.path))
  return { aliases, handshake: { flags: recordedFlags(), ...await recordHandshake(version) }, exec: recordedExec() }
}

/** Maximum turns of the event loop until this process attaches to a command that was started early. */
const MAX_ATTACH_TURNS = 1_000

/** Resends a signal that arrived while this bundle was loaded, once the command can receive it. */
const sendAgain = (signal: NodeJS.Signals, turns = MAX_ATTACH_TURNS): void => {
  if (isSignalIntercepted() || turns === 0) process.kill(process.pid, signal)
  else setImmediate(() => sendAgain(signal, turns - 1))
}

/**
 * The whole program: returns the exit status. The first signal asks a running command to end. Without a command, or after that, a
 * signal interrupts the work, so that its resources are released. A further signal exits at once. The process then dies of the signal.
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
    const { earlyConnection, pendingTool, started } = early
    const host: Host = { ...early, ignoreInterrupts: () => void ignored.add("SIGINT") }
    const program = programOf(argv, version, `${version} (${buildOf(bundle)})`, interruption, host).pipe(
      // Inside the uninterruptible region: later, an interrupted fiber has no result.
      Effect.tap(({ signal, status }) =>
        Effect.sync(() => {
          if (signal !== undefined) dieAtExit(signal)
          resolve(status)
        })
      ),
      Effect.uninterruptible
    )
    const fiber = Effect.runFork(Effect.provide(program, Layer.merge(ProcessTerminal.layer(pendingTool), LogToStderr)))
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
        if (deliverSignal()) return
        isInterrupted = true
        fiber.interruptUnsafe(fiber.id)
      })
    }
    earlyConnection?.removeSignalListeners()
    started?.removeSignalListeners()
    if (started?.signal !== undefined) sendAgain(started.signal)
    fiber.addObserver((exit) => {
      if (Exit.isSuccess(exit)) return
      if (Cause.hasInterruptsOnly(exit.cause)) resolve(received?.status ?? SIGNALS.SIGINT)
      else reject(Cause.squash(exit.cause))
    })
  })
}
