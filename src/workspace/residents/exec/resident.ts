import { Effect, Schema } from "effect"
import { createHash } from "node:crypto"
import * as fs from "node:fs"
import * as path from "node:path"
import type { WorkspaceInfo } from "../../../contract/rows/workspace-info.ts"
import { copyStart } from "../../../system/files/content.ts"
import { renameFile } from "../../../system/files/entries.ts"
import { attempt, toHostErrorOf } from "../../../system/files/failure.ts"
import { nowIso } from "../../../system/waits/time.ts"
import type { Resident, ResidentKind } from "../../entry/resident.ts"
import { lineOf, NAMED_RUNNING } from "../program/command.ts"
import type { Commands } from "./command-registry.ts"
import { Started } from "./journal.ts"
import { journaled } from "./running.ts"

/** A command that ran at some moment, and the files that had its output then. */
const RunningCommand = Schema.Struct({
  start: Started,
  segments: Schema.Array(Schema.Struct({ number: Schema.Int, size: Schema.Int }))
})
type RunningCommand = typeof RunningCommand.Type

const Running = Schema.Array(RunningCommand)

/** How a snapshot stores the commands that ran. A workspace stores its commands in a journal, which each command appends to. */
export const execKind: ResidentKind<typeof Running.Type, typeof Running.Encoded> = {
  key: "execs",
  state: Running,
  upgrades: [],
  describeNoted: (commands) => ({
    runningCommands: commands.filter(({ start }) => start.role === undefined).length
  })
}

/**
 * Notes the running commands, and links the files of their output in the folder `to`. Both happen in one turn of the event loop, because
 * the VM is paused. `keepRunning` cuts files that grow later to their length at this moment.
 */
export const noteRunning = ({ journal, logs }: Pick<Commands, "journal" | "logs">, to: string) =>
  attempt(
    "link",
    to,
    (): ReadonlyArray<RunningCommand> =>
      // Work of pyro on files ends without a program that could be adopted.
      journal.commands.filter(({ end, start }) => end === undefined && start.edits === undefined).map(({ start }) => ({
        start,
        segments: (logs.get(start.id)?.segments ?? []).map(({ number, size }) => {
          fs.linkSync(logs.file(start.id, number), path.join(to, `${start.id}.${number}`))
          return { number, size }
        })
      }))
  ).pipe(Effect.mapError(toHostErrorOf(to)))

/** Replaces each file that may have grown since `noteRunning` by a copy with its former size. */
const keepRunning = (commands: ReadonlyArray<RunningCommand>, folder: string) =>
  Effect.forEach(commands, ({ segments, start }) =>
    Effect.gen(function*() {
      const last = segments.at(-1)
      if (last === undefined) return
      const file = path.join(folder, `${start.id}.${last.number}`)
      const own = `${file}.tmp`
      yield* copyStart(file, own, last.size)
      yield* renameFile(own, file)
    }), { discard: true }).pipe(Effect.mapError(toHostErrorOf(folder)))

/**
 * Adds commands that ran elsewhere, or here, `sinceMs` ago to the journal, as running, with the output in `from`. `adopt` finds the commands in
 * the guest. A command that the journal has keeps its place there.
 */
const inherit = (
  { folder, journal, logs }: Commands,
  commands: ReadonlyArray<RunningCommand>,
  from: string,
  sinceMs: number
) =>
  journaled(folder, () => {
    for (const { segments, start } of commands) {
      const { deadlineMs, ...rest } = start
      // The clock of the snapshot's commands stood still.
      const shifted = deadlineMs === undefined ? {} : { deadlineMs: deadlineMs + sinceMs }
      const again = journal.get(start.id) === undefined ? {} : { again: true as const }
      journal.started({ ...rest, ...shifted, ...again, inherited: true })
      // The workspace had the command itself, with other output since.
      logs.forget(start.id)
      logs.take(start.id, from, segments.map(({ number }) => number))
    }
  })

/** Id of the command that stands for a keep: a repetition after a crash has the same, and another keep of the candidate has another. */
const keepId = (keep: string) => createHash("sha256").update(keep).digest("hex").slice(0, 32)

/**
 * Adds a command to the journal that stands for the keep of a candidate, so that a rewind can undo the keep as it undoes a command. `keep` names
 * the keep: the hidden snapshot of the candidate, and the generation that began with it.
 */
export const recordKeep = ({ folder, journal, logs }: Commands, candidate: string, keep: string) =>
  Effect.flatMap(nowIso, (startedAt) =>
    journaled(folder, () => {
      const id = keepId(keep)
      if (journal.get(id) !== undefined) return
      journal.started({ id, command: ["pyro", "try", "--keep", candidate], startedAt, keeps: true })
      logs.create(id).end()
      journal.ended({ id, outcome: "exited", status: 0, stdoutBytes: 0, stderrBytes: 0 })
      journal.flush()
    }))

/** The commands without an end, by the journal: commands of a paused workspace are paused with it. */
const runningIn = ({ journal, running }: Commands): Partial<WorkspaceInfo> => {
  const execs = journal.execs.flatMap(({ end, start: { command, id } }) =>
    end === undefined ? [{ id, pid: running.get(id)?.pid, command }] : []
  )
  return execs.length === 0 ? {} : {
    runningCommands: execs.length,
    running: execs.slice(-NAMED_RUNNING).map(({ command, id, pid }) => ({
      execId: id,
      ...(pid === undefined ? {} : { pid }),
      command: lineOf(command)
    }))
  }
}

/** The commands of a workspace as a resident. A command continues in the VM of a snapshot or a fork, where no caller owns it. */
export const execResident = (commands: Commands): Resident<ReadonlyArray<RunningCommand>> => ({
  adopt: (vm) => commands.adopt(vm),
  lose: commands.loseAll,
  rest: commands.rest,
  wakeUp: commands.delay,
  note: (folder) => noteRunning(commands, folder),
  finishNote: keepRunning,
  inherit: (noted, { folder, sinceMs }) => inherit(commands, noted, folder, sinceMs),
  isHistory: true,
  clear: journaled(commands.folder, () => {
    commands.journal.clear()
    commands.logs.clear()
  }),
  owns: (processId) => commands.journal.isRunning(processId),
  // Neither an open shell nor a service is a use of the workspace. Typing into a shell is a use, which the shell notes.
  isBusy: Effect.sync(() =>
    [...commands.running.keys()].some((id) => commands.journal.get(id)?.start.role === undefined)
  ),
  describe: Effect.sync(() => runningIn(commands))
})
