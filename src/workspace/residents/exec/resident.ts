import { Effect } from "effect"
import type { WorkspaceInfo } from "../../../contract/rows/workspace-info.ts"
import type { Resident } from "../../entry/resident.ts"
import { lineOf, NAMED_RUNNING } from "./command-line.ts"
import type { Commands } from "./commands.ts"
import { keepRunning, type RunningCommand } from "./inherit.ts"

const runningIn = ({ journal, running }: Commands): Partial<WorkspaceInfo> => {
  const execs = [...running.keys()].flatMap((id) => {
    const start = journal.get(id)?.start
    return start === undefined || start.role === undefined ? [{ id, command: start?.command ?? [] }] : []
  })
  return execs.length === 0 ? {} : {
    runningCommands: execs.length,
    running: execs.slice(-NAMED_RUNNING).map(({ command, id }) => ({ execId: id, command: lineOf(command) }))
  }
}

/** A workspace's commands as a resident. A command continues in a snapshot's or a fork's VM, and no caller owns the command there. */
export const execResident = (commands: Commands): Resident<ReadonlyArray<RunningCommand>> => ({
  adopt: (vm) => commands.adopt(vm),
  lose: commands.loseAll,
  note: commands.noteRunning,
  finishNote: keepRunning,
  inherit: (noted, { folder, sinceMs }) => commands.inherit(noted, folder, sinceMs),
  clear: commands.clear,
  owns: (processId) => commands.journal.isRunning(processId),
  // A shell waits for whoever types: typing counts as use of the workspace, the wait does not. Nor does a service that nobody asks about.
  isBusy: Effect.sync(() =>
    [...commands.running.keys()].some((id) => commands.journal.get(id)?.start.role === undefined)
  ),
  describe: Effect.sync(() => runningIn(commands))
})
