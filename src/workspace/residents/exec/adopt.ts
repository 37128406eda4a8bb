import { Deferred, Effect, Exit, Option, Scope } from "effect"
import type { ChannelFailed, NoSpace, StateDirectoryUnusable } from "../../../contract/errors/errors.ts"
import type { CommandLog } from "../../../lib/output-log/log.ts"
import { attempt, toHostErrorOf } from "../../../system/files/failure.ts"
import type { GuestLost } from "../../entry/resident.ts"
import { endingOptions } from "../program/command.ts"
import { cutOff } from "./cut-off.ts"
import { printed } from "./follow.ts"
import type { CommandJournal } from "./journal.ts"
import { type CommandRecords, journaled, type Running, type RunningCommands } from "./running.ts"

/** End of an operation on files whose process or VM ended first: some files may have changed. The operation keeps its place in the history. */
const cutShort = (journal: CommandJournal, id: string) => {
  journal.ended({ id, outcome: "lost", stdoutBytes: 0, stderrBytes: 0 })
  journal.flush()
}

/** Number of bytes of each output that the log has, so that the guest need not send them again. */
const recordedOf = (log: CommandLog) => ({ stdout: log.taken("stdout"), stderr: log.taken("stderr") })

/** Adopts the commands that a guest still runs, or whose end the guest keeps (`Commands.adopt`). */
export const adoptCommands = (
  { folder, journal, logs }: CommandRecords,
  { conclude, inBackground, make }: RunningCommands,
  { channel, scope }: Running
): Effect.Effect<void, ChannelFailed | NoSpace | StateDirectoryUnusable> =>
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

/** Records that the running commands are lost (`Commands.loseAll`). */
export const loseCommands = (
  { deferred, folder, journal, logs }: CommandRecords,
  { running, settle }: RunningCommands,
  why: GuestLost
) =>
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

/** Ends the waiters of the running commands (`Commands.rest`). */
export const restCommands = (
  { deferred, journal }: CommandRecords,
  { running, settle }: RunningCommands,
  why: GuestLost
) =>
  Effect.sync(() => {
    journal.flush()
    deferred.forget()
    for (const command of [...running.values()]) {
      const isOwn = journal.get(command.id)?.start.role === undefined
      settle(command, Exit.fail(isOwn ? cutOff(why, command.id) : why))
    }
  })

/** Moves the deadlines of the running commands (`Commands.delay`). */
export const delayCommands = ({ folder, journal }: CommandRecords, ms: number) =>
  journaled(folder, () => {
    for (const { end, start } of journal.commands) {
      const { deadlineMs } = start
      if (end === undefined && deadlineMs !== undefined) journal.started({ ...start, deadlineMs: deadlineMs + ms })
    }
  })
