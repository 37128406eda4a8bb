import { Clock, Effect } from "effect"
import type { LogEntry } from "../contract/rows/workspace-logs.ts"
import { typed } from "../contract/text/printable.ts"
import { endLine, note, printContent, size, warn } from "./print.ts"
import { type Cell, painted, printTable } from "./table.ts"
import { ago, duration } from "./time-text.ts"
import type { View } from "./view.ts"

const outcomeOf = ({ inherited, outcome, status }: LogEntry): Cell => {
  switch (outcome) {
    case "exited":
      return painted(status === 0 ? "green" : "red", `exit ${status ?? "?"}`)
    case "signaled":
      return painted("red", status === undefined ? "signal" : `signal ${status - 128}`)
    case "running":
      return painted("yellow", inherited === true ? "running, inherited" : outcome)
    default:
      return painted("red", outcome.replaceAll("_", " "))
  }
}

const commandLine = (words: ReadonlyArray<string>) => words.length === 0 ? "(login shell)" : typed(words).slice(0, 300)

/** Note about a cursor behind the end of a command's output. */
const behind = (cursor: number, { outcome, outputBytes }: LogEntry) =>
  note(
    `pyro: nothing from byte ${cursor} on; the output has ${outputBytes} bytes${
      outcome === "running" ? " so far" : ""
    }\n`
  )

const listOf = (commands: ReadonlyArray<LogEntry>) =>
  Effect.flatMap(Clock.currentTimeMillis, (nowMs) =>
    printTable([
      ["ID", "STARTED", "OUTCOME", "TIME", "OUTPUT", "COMMAND"],
      ...commands.map((one) => [
        one.execId,
        ago(one.startedAt, nowMs),
        outcomeOf(one),
        one.durationMs === undefined ? "-" : duration(one.durationMs),
        size(one.outputBytes),
        commandLine(one.command)
      ])
    ], { head: true, flexible: [5] }))

/** A list of commands, or the whole output of one: page after page, unless a limit or an encoding for programs was asked for. */
export const logsView: View<"workspace.logs"> = {
  next: ({ cursor, encoding, maxBytes, ...rest }, { nextCursor }) =>
    nextCursor === undefined || nextCursor === cursor || maxBytes !== undefined || encoding !== "text"
      ? undefined
      : { ...rest, encoding, cursor: nextCursor },
  result: (
    { commands, nextCursor, olderCount = 0, output, skippedBytes = 0 },
    { cursor, encoding, maxBytes, workspace }
  ) =>
    Effect.gen(function*() {
      if (skippedBytes > 0) yield* warn(`pyro: ${skippedBytes} bytes of the output were dropped here\n`)
      if (output !== undefined) {
        yield* printContent(output)
        const [command] = commands
        if (command !== undefined && cursor > command.outputBytes) yield* behind(cursor, command)
        const isCut = maxBytes !== undefined || encoding !== "text"
        if (isCut && nextCursor !== undefined && nextCursor !== cursor) {
          yield* endLine(output)
          yield* note(`pyro: there may be more; continue with --cursor ${nextCursor}\n`)
        }
      } else if (commands.length === 0) yield* note(`no commands in ${workspace} yet\n`)
      else {
        yield* listOf(commands)
        if (olderCount > 0) {
          yield* note(`${olderCount} older commands of ${workspace} left out; show more with --limit\n`)
        }
      }
    })
}
