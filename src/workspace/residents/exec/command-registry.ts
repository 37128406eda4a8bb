import { Cause, Deferred, Effect, Exit, Option, Scope } from "effect"
import type {
  ChannelFailed,
  InvalidRequest,
  NoSpace,
  PyroError,
  StateDirectoryUnusable
} from "../../../contract/errors/errors.ts"
import { DEFAULT_CWD, DEFAULT_GRACE_SECONDS } from "../../../contract/rows/command.ts"
import type { RunInput } from "../../../contract/rows/run-input.ts"
import type { ExecPayload } from "../../../contract/rows/workspace-exec.ts"
import { callerProject } from "../../../contract/wire/caller-project.ts"
import type { GuestChannel } from "../../../lib/guest-channel/GuestChannel.ts"
import type { GuestProcess } from "../../../lib/guest-channel/model/process.ts"
import type { CommandLog } from "../../../lib/output-log/log.ts"
import { logLimits, LogStore } from "../../../lib/output-log/store.ts"
import { attempt } from "../../../system/files/failure.ts"
import { toHostErrorOf } from "../../../system/files/failure.ts"
import { settleAfterwards } from "../../../system/waits/signal.ts"
import { nowMs } from "../../../system/waits/time.ts"
import type { WorkspaceFolder } from "../../entry/record.ts"
import { type CommandDefaults, directoryOf, noDefaults } from "../program/command-defaults.ts"
import { type Hints, hintsOf } from "../program/command-hints.ts"
import type { CommandRole } from "../program/command-role.ts"
import {
  type EndingOptions,
  endingOptions,
  endProcess,
  feed,
  recordedCommand,
  spawnRequest
} from "../program/command.ts"
import { isSteered, type Variables } from "../program/variables.ts"
import { mountSecrets, unmountSecrets } from "../secret/mount.ts"
import { unstoredSecrets, type WorkspaceSecrets } from "../secret/workspace-secrets.ts"
import { cutOff } from "./cut-off.ts"
import { makeDeferredRelease } from "./deferred-release.ts"
import { follow, pidsMaxOf, printed, untilLate } from "./follow.ts"
import { type CommandEnd, CommandJournal } from "./journal.ts"

/** A requested command that has not ended. */
export interface Command {
  readonly id: string
  readonly log: CommandLog
  /** Completes when the guest has started the command, or could not. */
  readonly started: Deferred.Deferred<GuestProcess, PyroError>
  readonly end: Deferred.Deferred<CommandEnd, PyroError>
  readonly ending: EndingOptions
  /** Hints of the VM that runs the command. */
  readonly hints: Hints
  /** Start of the command, as a position for the hints. */
  readonly startedAt: number
  /** Process id in the guest. Absent before the start. */
  pid?: number
  /** Whether `stop` was called. */
  isEnding: boolean
  /** Whether a caller detached the command. A detached command continues when its callers leave. */
  isDetached: boolean
  /** Ends the command and all its processes as soon as the guest has started it. With a grace the command gets a signal first. */
  readonly stop: (graceMs: number) => Effect.Effect<void>
}

/** The VM that commands run in. */
export interface Running {
  readonly channel: GuestChannel
  readonly scope: Scope.Scope
}

/** Commands of one workspace since its creation or last reset. */
export interface Commands {
  readonly folder: WorkspaceFolder
  readonly journal: CommandJournal
  readonly logs: LogStore
  readonly secrets: WorkspaceSecrets
  readonly running: ReadonlyMap<string, Command>
  /** Prepares the guest for a program, and gives the variables that pyro sets for it. Those of the workspace are in `defaults`. */
  readonly prepare: Preparation
  /** Variables and directory of commands that do not name their own. */
  readonly defaults: Effect.Effect<CommandDefaults>
  /**
   * Starts a command, and records its output and end until the VM's scope closes, with or without listeners. A known id starts nothing:
   * `mine` is false.
   */
  readonly start: (
    generation: Running & { readonly memoryMib: number },
    payload: ExecPayload & { readonly execId: string },
    input: RunInput,
    /** @default an exec */
    role?: CommandRole
  ) => Effect.Effect<{ readonly mine: boolean }, InvalidRequest | NoSpace | StateDirectoryUnusable>
  /** Adopts the commands of another daemon that a guest still runs, or whose end the guest keeps. */
  readonly adopt: (generation: Running) => Effect.Effect<void, ChannelFailed | NoSpace | StateDirectoryUnusable>
  /** Records that the running commands are lost, because their VM has ended. */
  readonly loseAll: (why: PyroError) => Effect.Effect<void>
  /** Ends the waiters of the running commands, which `adopt` finds in the next VM. */
  readonly rest: (why: PyroError) => Effect.Effect<void>
  /** Moves the deadlines of the running commands by a time in which they stood still. */
  readonly delay: (ms: number) => Effect.Effect<void, NoSpace | StateDirectoryUnusable>
}

/** Writes to the journal. The error names the folder of the workspace. */
export const journaled = <A>(folder: WorkspaceFolder, write: () => A) =>
  Effect.mapError(attempt("write", folder.journal, write), toHostErrorOf(folder.directory))

/** End of an operation on files whose process or VM ended first: some files may have changed. The operation keeps its place in the history. */
const cutShort = (journal: CommandJournal, id: string) => {
  journal.ended({ id, outcome: "lost", stdoutBytes: 0, stderrBytes: 0 })
  journal.flush()
}

/** Number of bytes of each output that the log has, so that the guest need not send them again. */
const recordedOf = (log: CommandLog) => ({ stdout: log.taken("stdout"), stderr: log.taken("stderr") })

/** Prepares the guest before each command, and gives variables for the command. */
type Preparation = (channel: GuestChannel) => Effect.Effect<Variables, NoSpace | StateDirectoryUnusable>

/** Opens journal and logs of a workspace; they close with the Scope. */
export const openCommands = (
  folder: WorkspaceFolder,
  limits = logLimits,
  secrets = unstoredSecrets(),
  preparations: ReadonlyArray<Preparation> = [],
  defaults: Effect.Effect<CommandDefaults> = noDefaults
): Effect.Effect<Commands, NoSpace | StateDirectoryUnusable, Scope.Scope> =>
  Effect.gen(function*() {
    const journal = yield* Effect.acquireRelease(
      attempt("open", folder.journal, () => new CommandJournal(folder.journal)),
      (journal) => Effect.sync(() => journal.close())
    )
    const ends = journal.commands.map(({ end, start }) => [start.id, end] as const)
    const logs = yield* attempt("open", folder.logs, () => new LogStore(folder.logs, limits, ends))
    const deferred = yield* makeDeferredRelease(folder, journal)
    const running = new Map<string, Command>()

    /** Registers a running command, until `settle`. */
    const make = (id: string, log: CommandLog, scope: Scope.Scope, ending: EndingOptions) => {
      const started = Deferred.makeUnsafe<GuestProcess, PyroError>()
      const stop = (graceMs: number) =>
        Effect.suspend(() => {
          command.isEnding = true
          return Effect.flatMap(
            Deferred.await(started),
            (process) => endProcess(process, "cancel", { ...ending, graceMs })
          ).pipe(Effect.ignore, Effect.forkIn(scope), Effect.asVoid)
        })
      const hints = hintsOf(scope)
      const command: Command = {
        id,
        log,
        started,
        end: Deferred.makeUnsafe<CommandEnd, PyroError>(),
        ending,
        hints,
        startedAt: hints.now(),
        isEnding: false,
        isDetached: false,
        stop
      }
      running.set(id, command)
      return command
    }

    const settle = (command: Command, exit: Exit.Exit<CommandEnd, PyroError>) => {
      if (running.get(command.id) === command) running.delete(command.id)
      if (Exit.isFailure(exit)) settleAfterwards(command.started, Exit.failCause(exit.cause))
      settleAfterwards(command.end, exit)
      command.log.end()
    }

    /** Removes the files of a command's secrets. */
    const unmount = (channel: GuestChannel, id: string) =>
      Effect.suspend(() => {
        const paths = journal.get(id)?.start.secretPaths
        return paths === undefined ? Effect.void : unmountSecrets(channel, paths)
      })

    /** Follows a started process until the journal has its end. */
    const conclude = (
      command: Command,
      channel: GuestChannel,
      process: GuestProcess,
      time: Omit<Parameters<typeof follow>[2], "ending">
    ) =>
      Effect.gen(function*() {
        const end = yield* follow(process, command.log, { ...time, ending: command.ending }, secrets)
        // Ends background processes that a signal handler left: after the release the guest does not know them.
        if (command.isEnding || command.ending.isService) yield* Effect.ignore(process.kill)
        yield* unmount(channel, command.id)
        concluded(command, process, end)
      })

    const concluded = (command: Command, process: GuestProcess, end: CommandEnd) => {
      // The workspace was reset to a snapshot: the id belongs to another VM, and this VM still runs for a moment.
      if (running.get(command.id) !== command) return
      journal.ended(end)
      settle(command, Exit.succeed(end))
      deferred.ended(process)
    }

    /** Forks work into the VM's scope, because the caller may leave. A defect of pyro ends the command, so that no caller waits for ever. */
    const inBackground = (command: Command, work: Effect.Effect<void, PyroError, Scope.Scope>, scope: Scope.Scope) =>
      work.pipe(
        Effect.scoped,
        Effect.catchCause((cause) =>
          Cause.hasInterrupts(cause)
            ? Effect.failCause(cause)
            : Effect.sync(() => settle(command, Exit.failCause(cause)))
        ),
        Effect.forkIn(scope),
        Effect.asVoid
      )

    const prepare: Preparation = (channel) =>
      Effect.gen(function*() {
        let prepared: Variables = {}
        for (const preparation of preparations) prepared = { ...prepared, ...yield* preparation(channel) }
        return prepared
      })

    const start: Commands["start"] = ({ channel, memoryMib, scope }, payload, input, role) =>
      Effect.gen(function*() {
        const { execId: id } = payload
        const prepared = yield* prepare(channel)
        const own = yield* defaults
        // The steps from here to the journal do not wait: of two requests with one id, only one starts the command.
        if (journal.get(id) !== undefined) return { mine: false }
        const variables = yield* secrets.variables(payload.secretEnv)
        const mounts = yield* secrets.mounts(payload.secretMount)
        const startedAtMs = yield* nowMs
        const client = (yield* callerProject)?.client
        const deadlineMs = payload.timeoutSeconds === undefined
          ? undefined
          : startedAtMs + payload.timeoutSeconds * 1000
        const cwd = directoryOf(payload.cwd, own)
        yield* journaled(folder, () =>
          journal.started({
            id,
            ...(role === undefined ? {} : { role }),
            command: recordedCommand(payload).map((word) => secrets.redact(word)),
            startedAt: new Date(startedAtMs).toISOString(),
            ...(deadlineMs === undefined ? {} : { deadlineMs }),
            ...(payload.graceSeconds === DEFAULT_GRACE_SECONDS ? {} : { graceMs: payload.graceSeconds * 1000 }),
            ...(cwd === DEFAULT_CWD ? {} : { cwd: secrets.redact(cwd) }),
            ...(payload.user === undefined || payload.user === "root" ? {} : { user: payload.user }),
            ...(payload.tty ? { tty: true } : {}),
            ...(isSteered(payload, own.env) ? { variables: true as const } : {}),
            ...(payload.openStdin === true ? { stdin: "open" as const } : {}),
            ...(role?._tag === "shell" ? { sizes: [{ at: 0, cols: payload.cols, rows: payload.rows }] } : {}),
            ...(mounts.length === 0 ? {} : { secretPaths: mounts.map(({ path }) => path) }),
            ...(client === undefined ? {} : { client })
          }))
        const ending = endingOptions({ graceMs: payload.graceSeconds * 1000, tty: payload.tty, role })
        const command = make(id, logs.create(id), scope, ending)
        const request = spawnRequest(
          {
            ...payload,
            cwd,
            env: { ...prepared, ...own.env, ...payload.env, ...variables }
          },
          input
        )
        // The following work overlaps with the start in the guest.
        const launch = channel.launch({ ...request, id, pidsMax: pidsMaxOf(memoryMib) })
        const started = mounts.length === 0
          ? yield* launch
          : Effect.andThen(mountSecrets(channel, mounts, payload.user ?? "root"), Effect.flatten(launch)).pipe(
            Effect.tapError(({ _tag }) => _tag.startsWith("Command") ? unmount(channel, id) : Effect.void)
          )
        const work =
          (deadlineMs === undefined ? started : untilLate(command.started, started, deadlineMs - startedAtMs))
            .pipe(
              Effect.tapError((failure) =>
                Effect.sync(() => {
                  // After the loss of the channel, only the guest knows whether the command started.
                  if (failure._tag === "ChannelFailed" || running.get(id) !== command) return
                  journal.refused(id)
                  journal.flush()
                  logs.forget(id)
                })
              ),
              Effect.flatMap((process) => {
                command.pid = process.pid
                settleAfterwards(command.started, Exit.succeed(process))
                const rest = conclude(command, channel, process, { startedAtMs, deadlineMs })
                // The terminal of the caller of a detached command would close the command's stdin.
                const isFed = payload.openStdin !== true && (input.stdin !== undefined || input.resizes !== undefined)
                return isFed ? Effect.andThen(feed(process, input), rest) : rest
              })
            )
        yield* inBackground(command, work, scope)
        yield* deferred.started
        return { mine: true }
      }).pipe(Effect.uninterruptible)

    const adopt: Commands["adopt"] = ({ channel, scope }) =>
      Effect.forEach(journal.commands.filter(({ end }) => end === undefined), ({ start }) =>
        Effect.gen(function*() {
          const { deadlineMs, id } = start
          if (start.edits === true) return cutShort(journal, id)
          const log = logs.get(id) ?? logs.create(id)
          yield* attempt("open", folder.logs, () => log.resume())
          // Nothing closes this scope: its end would end the command, which outlives this process.
          const kept = yield* Scope.make()
          const adopted = yield* channel.adopt(id, recordedOf(log)).pipe(Effect.provideService(Scope.Scope, kept))
          // The guest keeps each end until the journal has it.
          if (Option.isNone(adopted)) {
            // The history counts commands by their places.
            if (start.again === true && start.role === undefined) {
              journal.ended({ id, outcome: "lost", ...printed(log) })
              journal.flush()
              return log.end()
            }
            journal.refused(id)
            journal.flush()
            return logs.forget(id)
          }
          const process = adopted.value
          const command = make(id, log, scope, endingOptions(start))
          command.pid = process.pid
          yield* Deferred.succeed(command.started, process)
          const startedAtMs = Date.parse(start.startedAt)
          yield* inBackground(command, conclude(command, channel, process, { startedAtMs, deadlineMs }), scope)
        }).pipe(Effect.catchTag("FileFailed", (failure) => Effect.fail(toHostErrorOf(folder.directory)(failure)))), {
        discard: true
      })

    const loseAll = (why: PyroError) =>
      Effect.gen(function*() {
        for (const { end, start: { edits, id } } of journal.commands) {
          if (end !== undefined) continue
          if (edits === true) {
            cutShort(journal, id)
            continue
          }
          const log = logs.get(id) ?? logs.create(id)
          if (!running.has(id) && !log.ended) {
            yield* Effect.ignoreCause(attempt("open", folder.logs, () => log.resume()))
          }
          journal.ended({ id, outcome: "lost", ...printed(log) })
          log.end()
        }
        journal.flush()
        deferred.forget()
        for (const command of [...running.values()]) settle(command, Exit.fail(why))
      })

    const rest = (why: PyroError) =>
      Effect.sync(() => {
        journal.flush()
        deferred.forget()
        for (const command of [...running.values()]) {
          const isOwn = journal.get(command.id)?.start.role === undefined
          settle(command, Exit.fail(isOwn ? cutOff(why, command.id) : why))
        }
      })

    const delay = (ms: number) =>
      journaled(folder, () => {
        for (const { end, start } of journal.commands) {
          const { deadlineMs } = start
          if (end === undefined && deadlineMs !== undefined) journal.started({ ...start, deadlineMs: deadlineMs + ms })
        }
      })

    return { folder, journal, logs, secrets, running, prepare, defaults, start, adopt, loseAll, rest, delay }
  }).pipe(Effect.catchTag("FileFailed", (failure) => Effect.fail(toHostErrorOf(folder.directory)(failure))))
