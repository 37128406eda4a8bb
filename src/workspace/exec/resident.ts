import { Effect } from "effect"
import type { WorkspaceInfo } from "../../contract/operations/workspace-info.ts"
import type { Resident } from "../residents/Resident.ts"
import { lineOf, NAMED_RUNNING } from "./command-line.ts"
import type { Commands } from "./commands.ts"
import { keepRunning, type RunningCommand } from "./inherit.ts"

const runningIn = ({ journal, running }: Commands): Partial<WorkspaceInfo> =>
  running.size === 0 ? {} : {
    runningCommands: running.size,
    running: [...running.keys()].slice(-NAMED_RUNNING).map((execId) => ({
      execId,
      command: lineOf(journal.get(execId)?.start.command ?? [])
    }))
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
  isBusy: Effect.sync(() => commands.running.size > 0),
  describe: Effect.sync(() => runningIn(commands))
})
