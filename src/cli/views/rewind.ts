import { Clock, Effect } from "effect"
import {
  alsoEnded,
  type EndedProgram,
  type HistoryEntry,
  type RewindPayload,
  type UndoneCommand
} from "../../contract/rows/workspace-rewind.ts"
import { count } from "../../contract/text/count.ts"
import { rowText } from "../../contract/text/one-line.ts"
import { ago, duration, note, size } from "../output/print.ts"
import { painted, printTable } from "../output/table.ts"
import type { Views } from "./view.ts"

/** Digits of an id that a person needs: a prefix names a command. */
const SHORT = 12

/** Maximum columns of a command in a row. */
const COMMAND_COLUMNS = 60

const outcomeOf = ({ durationMs, outcome, status }: UndoneCommand) => {
  const how = outcome === "exited" ? `status ${status ?? 0}` : outcome.replaceAll("_", " ")
  return durationMs === undefined ? how : `${how}, ${duration(durationMs)}`
}

/** Where a rewind to before a command leads, and whether a rewind that counts steps skips the command. */
const returnOf = ({ alsoUndone = 0, byReset, changedNothing, point, undone }: HistoryEntry) => {
  if (undone) return painted("dim", "undone")
  const skipped = changedNothing === true ? ", no step" : ""
  if (byReset === true) return painted("yellow", `reset${skipped}`)
  if (point === undefined) return painted("dim", `gone${skipped}`)
  if (alsoUndone > 0) return painted("yellow", `undoes ${alsoUndone} more${skipped}`)
  return painted(skipped === "" ? "green" : "dim", `yes${skipped}`)
}

const endedText = ({ command, id, kind }: EndedProgram) =>
  kind === "service"
    ? `service ${id}`
    // A login shell has no command.
    : [id.slice(0, SHORT), ...(kind === "shell" ? ["shell"] : []), ...(command === "" ? [] : [command])].join(" ")

const lines = (all: ReadonlyArray<string>) => all.map((line) => `  ${rowText(line)}\n`).join("")

const isStep = ({ changedNothing }: UndoneCommand) => changedNothing !== true

/** How many commands are undone, without those that changed nothing: they are no steps. */
const undoneText = (undone: ReadonlyArray<UndoneCommand>) => {
  const changes = undone.filter(isStep).length
  const looks = undone.length - changes
  return `${changes === 0 ? "no command" : count(changes, "command")} undone${
    looks === 0 ? "" : `; ${looks} more had changed nothing, and ${looks === 1 ? "is no step" : "are no steps"}`
  }`
}

/**
 * How many more steps were undone than the request asks for, because no point lies between. A rewind to a point asks for whatever came
 * since.
 */
const notAskedFor = ({ before, steps, to }: RewindPayload, undone: ReadonlyArray<UndoneCommand>): number => {
  if (to !== undefined) return 0
  if (before === undefined) return Math.max(0, undone.filter(isStep).length - (steps ?? 1))
  const at = undone.findIndex(({ execId }) => execId.startsWith(before))
  return undone.slice(0, Math.max(0, at)).filter(isStep).length
}

const moreText = (more: number) =>
  more === 0
    ? ""
    : `${more} more than asked for ${more === 1 ? "is" : "are"} undone, because no point lies between the steps. ` +
      "`pyro history` says so before a rewind\n"

export const rewindViews = {
  "workspace.history": {
    result: ({ commands }, { workspace }) =>
      commands.length === 0
        ? note(`no command ran in ${workspace} since it was created or reset\n`)
        : Effect.flatMap(Clock.currentTimeMillis, (nowMs) =>
          printTable([
            ["ID", "STARTED", "OUTCOME", "WROTE", "BACK TO BEFORE", "COMMAND"],
            ...commands.map((one) => [
              one.execId.slice(0, SHORT),
              ago(one.startedAt, nowMs),
              outcomeOf(one),
              one.writtenBytes === undefined ? "-" : size(one.writtenBytes),
              returnOf(one),
              { text: one.command, maxColumns: COMMAND_COLUMNS }
            ])
          ], { head: true, flexible: [5] }))
  },
  "workspace.rewind": {
    result: (
      { ended, stillRunning, memory, keptEffects, redo, restarted, undone, workspace: { id, name = id }, writesUndone },
      payload
    ) => {
      const others = alsoEnded({ ended, undone })
      return note(
        `${name} is rewound: ${undoneText(undone)}\n` +
          lines(undone.map((one) => {
            const how = `${outcomeOf(one)}${one.changedNothing === true ? ", changed nothing" : ""}`
            return `${one.execId.slice(0, SHORT)} ${one.command} (${how})`
          })) +
          moreText(notAskedFor(payload, undone)) +
          writesUndone.map((one) => `Also undone: ${rowText(one)}\n`).join("") +
          (others.length === 0 ? "" : `Ended with the old microVM:\n${lines(others.map(endedText))}`) +
          (memory
            ? `The memory of that moment is back${stillRunning.length === 0 ? "" : `: ${stillRunning.join(", ")}`}\n`
            : "") +
          (restarted.length === 0 ? "" : `Services that start again: ${restarted.join(", ")}\n`) +
          (keptEffects.length === 0 ? "" : `Not undone:\n${lines(keptEffects)}`) +
          `To undo this rewind: pyro rewind ${name} --to ${redo}\n`
      )
    }
  }
} satisfies Views
