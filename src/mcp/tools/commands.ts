import { Effect } from "effect"
import type { LogEntry, LogsResult } from "../../contract/rows/workspace-logs.ts"
import { typed } from "../../contract/text/shell-words.ts"
import type { Tool } from "../request.ts"
import { textAsSeen } from "../terminal.ts"
import { bytes, count, lines } from "../words.ts"
import { verdictOf } from "./command-end.ts"

/** Characters of a command line in a list: the typed result has all of it. */
const LINE_CHARACTERS = 300

const short = (text: string) => text.length <= LINE_CHARACTERS ? text : `${text.slice(0, LINE_CHARACTERS)}…`

const endOf = ({ durationMs = 0, outcome, status = 0 }: LogEntry): string => {
  switch (outcome) {
    case "running":
      return "still runs"
    case "lost":
      return "lost: its microVM ended first"
    default:
      return verdictOf({ outcome, status, durationMs })
  }
}

/** A command in one line: its id, what became of it, how it was called. */
const line = (entry: LogEntry): string =>
  `${entry.execId} ${endOf(entry)}, printed ${bytes(entry.outputBytes)}: ${short(typed(entry.command))}`

const logsText = ({ commands, lossy, nextCursor, olderCount = 0, output, skippedBytes = 0 }: LogsResult): string =>
  lines(
    commands.length === 0 && output === undefined && "no command ran since the workspace was made or reset",
    ...commands.map(line),
    olderCount > 0 && `and ${count(olderCount, "older command")}`,
    skippedBytes > 0 && `[${skippedBytes} bytes before this are no longer kept]`,
    lossy === true && "[bytes that are not UTF-8 are shown as U+FFFD]",
    output,
    nextCursor !== undefined && `[go on with cursor ${nextCursor}]`
  )

export const logsTool: Tool<"workspace.logs"> = {
  perform: ({ own, payload, pyro }) =>
    Effect.map(pyro.workspace.logs(payload), (logs) => {
      const { output } = logs
      const result = output === undefined || own["raw"] === true ? logs : { ...logs, output: textAsSeen(output) }
      return { result, text: logsText(result) }
    })
}

export const cancelTool: Tool<"workspace.cancel"> = {
  text: ({ cancelled, execId }) =>
    cancelled ? `ended command ${execId}` : `command ${execId} had ended before; nothing was done`
}
