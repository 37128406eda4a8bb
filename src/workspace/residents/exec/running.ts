import { Cause, Deferred, Effect, Exit, type Scope } from "effect"
import type {
  CommandNotExecutable,
  CommandNotFound,
  CommandNotStarted,
  InvalidRequest,
  NoSpace,
  StateDirectoryUnusable
} from "../../../contract/errors/errors.ts"
import type { GuestChannel } from "../../../lib/guest-channel/GuestChannel.ts"
import type { GuestProcess } from "../../../lib/guest-channel/model/process.ts"
import type { CommandLog } from "../../../lib/output-log/log.ts"
import type { LogStore } from "../../../lib/output-log/store.ts"
import { attempt, toHostErrorOf } from "../../../system/files/failure.ts"
import { settleAfterwards } from "../../../system/waits/signal.ts"
import type { WorkspaceFolder } from "../../entry/record.ts"
import type { GuestLost } from "../../entry/resident.ts"
import { type Hints, hintsOf } from "../program/command-hints.ts"
import { type EndingOptions, endProcess } from "../program/command.ts"
import { unmountSecrets } from "../secret/mount.ts"
import type { WorkspaceSecrets } from "../secret/workspace-secrets.ts"
import type { DeferredRelease } from "./deferred-release.ts"
import { follow } from "./follow.ts"
import type { CommandEnd, CommandJournal } from "./journal.ts"

/** Why a command has no end of its own: the guest could not start it, or lost it. */
export type CommandFailure =
  | CommandNotExecutable
  | CommandNotFound
  | CommandNotStarted
  | GuestLost
  | InvalidRequest
  | NoSpace
  | StateDirectoryUnusable

/** A requested command that has not ended. */
export interface Command {
  readonly id: string
  readonly log: CommandLog
  /** Completes when the guest has started the command, or could not. */
  readonly started: Deferred.Deferred<GuestProcess, CommandFailure>
  readonly end: Deferred.Deferred<CommandEnd, CommandFailure>
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

/** Writes to the journal. The error names the folder of the workspace. */
export const journaled = <A>(folder: WorkspaceFolder, write: () => A) =>
  Effect.mapError(attempt("write", folder.journal, write), toHostErrorOf(folder.directory))

/** What the commands of a workspace are recorded in. */
export interface CommandRecords {
  readonly folder: WorkspaceFolder
  readonly journal: CommandJournal
  readonly logs: LogStore
  readonly secrets: WorkspaceSecrets
  readonly deferred: DeferredRelease
}

/** The commands of a workspace that run, from their start or adoption to their end. */
export type RunningCommands = ReturnType<typeof makeRunning>

export const makeRunning = ({ deferred, journal, secrets }: CommandRecords) => {
  const running = new Map<string, Command>()

  /** Registers a running command, until `settle`. */
  const make = (id: string, log: CommandLog, scope: Scope.Scope, ending: EndingOptions) => {
    const started = Deferred.makeUnsafe<GuestProcess, CommandFailure>()
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
      end: Deferred.makeUnsafe<CommandEnd, CommandFailure>(),
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

  const settle = (command: Command, exit: Exit.Exit<CommandEnd, CommandFailure>) => {
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
  const inBackground = (command: Command, work: Effect.Effect<void, CommandFailure, Scope.Scope>, scope: Scope.Scope) =>
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

  return { running: running as ReadonlyMap<string, Command>, make, settle, unmount, conclude, inBackground }
}
