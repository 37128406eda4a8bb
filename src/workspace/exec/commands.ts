import { Deferred, Effect, Exit, Option, Scope } from "effect"
import { randomBytes } from "node:crypto"
import * as fs from "node:fs"
import * as path from "node:path"
import { type ChannelFailed, type PyroError } from "../../contract/errors.ts"
import type { ExecPayload } from "../../contract/operations/workspace-exec.ts"
import type { RunInput } from "../../contract/Pyro.ts"
import type { GuestChannel } from "../../guest-channel/GuestChannel.ts"
import type { GuestProcess } from "../../guest-channel/process.ts"
import { endOf, feed, spawnRequest } from "../command.ts"
import type { WorkspaceFolder } from "../lifecycle/record.ts"
import { touch } from "../lifecycle/record.ts"
import { type CommandEnd, CommandJournal } from "./journal.ts"
import { CommandLog } from "./log.ts"

/** A command that was started: its log, and how it ended. */
export interface Command {
  readonly id: string
  readonly log: CommandLog
  readonly end: Deferred.Deferred<CommandEnd, PyroError>
  /** Ends it with everything it started. */
  readonly kill: Effect.Effect<void>
}

/** How long a killed command may take to be gone before its end is told all the same. */
const killGraceMs = 3_000

/** Commands of one workspace, from its creation or last reset on. */
export interface Commands {
  readonly journal: CommandJournal
  readonly running: ReadonlyMap<string, Command>
  readonly logFile: (id: string) => string
  /** Starts a command; its output and its end are recorded until `generation` closes, whoever listens. */
  readonly start: (
    generation: { readonly channel: GuestChannel; readonly scope: Scope.Scope },
    payload: ExecPayload,
    input: RunInput
  ) => Effect.Effect<Command, PyroError>
  /** Takes up the commands that a guest still runs, or has the end of, after the process that started them is gone. */
  readonly adopt: (generation: {
    readonly channel: GuestChannel
    readonly scope: Scope.Scope
  }) => Effect.Effect<void, ChannelFailed>
  /** Records that what is still running is lost: its VM has ended. */
  readonly loseAll: (why: PyroError) => Effect.Effect<void>
  /** Forgets every command and its output. */
  readonly clear: Effect.Effect<void>
}

export const newExecId = () => randomBytes(16).toString("hex")

const argvOf = ({ command, script }: ExecPayload): ReadonlyArray<string> =>
  script === undefined
    ? command
    : [
      "/bin/sh",
      "-c",
      "if [ -x /bin/bash ]; then exec /bin/bash -c \"$1\"; else exec /bin/sh -c \"$1\"; fi",
      "sh",
      script
    ]

/** Opens journal and logs of a workspace; they close with the Scope. */
export const openCommands = (folder: WorkspaceFolder): Effect.Effect<Commands, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.sync(() => {
      fs.mkdirSync(folder.logs, { recursive: true, mode: 0o700 })
      return { journal: new CommandJournal(folder.journal), running: new Map<string, Command>() }
    }),
    ({ journal }) => Effect.sync(() => journal.close())
  ).pipe(Effect.map(({ journal, running }) => {
    const logFile = (id: string) => path.join(folder.logs, id)

    /** Reads a process to its end, in the generation's scope, and records how it ended. */
    const follow = (
      command: Command,
      process: GuestProcess,
      scope: Scope.Scope,
      options: { readonly startedAtMs: number; readonly deadlineMs: number | undefined }
    ) =>
      Effect.gen(function*() {
        let late = false
        if (options.deadlineMs !== undefined) {
          yield* Effect.sleep(Math.max(0, options.deadlineMs - Date.now())).pipe(
            Effect.zipRight(Effect.sync(() => (late = true))),
            Effect.zipRight(Effect.ignore(process.kill)),
            Effect.forkScoped
          )
        }
        yield* process.forEachOutput(({ bytes, from }) => Effect.sync(() => command.log.append(from, bytes)))
        const exit = yield* process.exit.pipe(Effect.timeoutOption(late ? killGraceMs : "365 days"))
        const end: CommandEnd = {
          id: command.id,
          ...endOf(Option.getOrUndefined(exit), late),
          durationMs: Option.match(exit, {
            onNone: () => Date.now() - options.startedAtMs,
            onSome: ({ durationMs }) => durationMs
          }),
          stdoutBytes: command.log.received.stdout,
          stderrBytes: command.log.received.stderr
        }
        journal.ended(end)
        yield* process.release
        yield* touch(folder)
        yield* settle(command, Exit.succeed(end))
      }).pipe(
        Effect.scoped,
        Effect.catchAll((failure) => settle(command, Exit.fail(failure))),
        Effect.interruptible,
        Effect.forkIn(scope)
      )

    const settle = (command: Command, exit: Exit.Exit<CommandEnd, PyroError>) =>
      Effect.zipRight(
        Deferred.done(command.end, exit),
        Effect.sync(() => {
          running.delete(command.id)
          command.log.end()
        })
      )

    const make = (id: string, log: CommandLog) =>
      Effect.map(Deferred.make<CommandEnd, PyroError>(), (end) => ({ id, log, end }))

    const start: Commands["start"] = ({ channel, scope }, payload, input) =>
      Effect.gen(function*() {
        const id = payload.execId ?? newExecId()
        const made = yield* make(id, new CommandLog(logFile(id)))
        const startedAtMs = Date.now()
        const deadlineMs = payload.timeoutSeconds === undefined
          ? undefined
          : startedAtMs + payload.timeoutSeconds * 1000
        const request = { ...payload, command: argvOf(payload) }
        journal.started({
          id,
          command: payload.script === undefined ? payload.command : ["sh", "-c", payload.script],
          startedAt: new Date(startedAtMs).toISOString(),
          ...(deadlineMs === undefined ? {} : { deadlineMs })
        })
        yield* touch(folder)
        const process = yield* channel.spawn({ ...spawnRequest(request, input), id, keepRunning: true }).pipe(
          Effect.provideService(Scope.Scope, scope),
          Effect.tapError((failure) =>
            // After a lost channel nobody knows whether it started: the guest is asked by its id.
            failure._tag === "ChannelFailed" ? Effect.void : Effect.sync(() => journal.refused(id))
          )
        )
        const command: Command = { ...made, kill: Effect.ignore(process.kill) }
        running.set(id, command)
        yield* feed(process, input).pipe(Effect.provideService(Scope.Scope, scope))
        yield* follow(command, process, scope, { startedAtMs, deadlineMs })
        return command
      }).pipe(Effect.uninterruptible)

    const adopt: Commands["adopt"] = ({ channel, scope }) =>
      Effect.forEach(journal.commands.filter(({ end }) => end === undefined), ({ start }) =>
        Effect.gen(function*() {
          const log = CommandLog.reopen(logFile(start.id))
          const made = yield* make(start.id, log)
          const process = yield* channel.adopt(start.id, log.received).pipe(Effect.provideService(Scope.Scope, scope))
          if (Option.isNone(process)) return journal.ended(lost(start.id, log))
          const command: Command = { ...made, kill: Effect.ignore(process.value.kill) }
          running.set(start.id, command)
          const startedAtMs = Date.parse(start.startedAt)
          yield* follow(command, process.value, scope, { startedAtMs, deadlineMs: start.deadlineMs })
        }), { discard: true })

    const loseAll = (why: PyroError) =>
      Effect.suspend(() => {
        for (const { end, start } of journal.commands) {
          if (end === undefined) journal.ended(lost(start.id, CommandLog.reopen(logFile(start.id))))
        }
        return Effect.forEach([...running.values()], (command) => settle(command, Exit.fail(why)), { discard: true })
      })

    const clear = Effect.promise(async () => {
      journal.clear()
      await fs.promises.rm(folder.logs, { recursive: true, force: true })
      await fs.promises.mkdir(folder.logs, { mode: 0o700 })
    })

    return { journal, running, logFile, start, adopt, loseAll, clear }
  }))

const lost = (id: string, log: CommandLog): CommandEnd => {
  const end = { id, outcome: "lost", stdoutBytes: log.received.stdout, stderrBytes: log.received.stderr } as const
  log.release()
  return end
}
