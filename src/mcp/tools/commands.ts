import { Effect, Schema } from "effect"
import { Outcome } from "../../contract/rows/command.ts"
import { lazy } from "../../contract/rows/operation.ts"
import type { ExecEvent } from "../../contract/rows/workspace-exec.ts"
import type { LogEntry, LogsResult } from "../../contract/rows/workspace-logs.ts"
import { count } from "../../contract/text/count.ts"
import { typed } from "../../contract/text/printable.ts"
import { snakeStruct } from "../../contract/text/snake.ts"
import type { Tool } from "../request.ts"
import { textAsSeen } from "../terminal.ts"
import { bytes, lines, seconds } from "../words.ts"

export type Exited = Extract<ExecEvent, { readonly _tag: "Exited" }>

/** Result of `workspace_exec`, of an ended and of a running command. */
export const ExecReport = lazy(() =>
  snakeStruct({
    state: Schema.Literals(["exited", "running"]),
    outcome: Schema.NullOr(Outcome()),
    exitCode: Schema.NullOr(Schema.Int),
    durationMs: Schema.NullOr(Schema.Number),
    stdout: Schema.String,
    stderr: Schema.String,
    truncated: Schema.Boolean,
    warnings: Schema.Array(Schema.String),
    execId: Schema.String,
    nextCursor: Schema.NullOr(Schema.String)
  })
)
export type ExecReport = ReturnType<typeof ExecReport>["Type"]

/** The fields with the state of a command. */
export const stateOf = (exited: Exited | undefined) => ({
  state: exited === undefined ? "running" as const : "exited" as const,
  outcome: exited?.outcome ?? null,
  exitCode: exited?.status ?? null,
  durationMs: exited?.durationMs ?? null
})

/** How a command ended, in a few words. */
export const verdictOf = ({ durationMs, outcome, signal, status }: Omit<Exited, "_tag">): string => {
  const after = `in ${seconds(durationMs)}`
  switch (outcome) {
    case "exited":
      return `exit ${status} ${after}`
    case "signaled":
      return `ended by signal ${signal ?? status - 128} ${after}`
    case "timed_out":
      return `killed after timeout_seconds, ${after}`
    case "out_of_memory":
      return `killed: the guest ran out of memory, ${after}`
  }
}

/** Both streams, with a heading where there is a stderr. */
export const streamsText = ({ stderr, stdout }: { readonly stdout: string; readonly stderr: string }): string =>
  stderr === "" ? stdout : stdout === "" ? `stderr:\n${stderr}` : `${stdout.replace(/\n$/, "")}\nstderr:\n${stderr}`

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

/** A command in one line: id, end, bytes of output, command line. */
const line = (entry: LogEntry): string =>
  `${entry.execId} ${endOf(entry)}, printed ${bytes(entry.outputBytes)}: ${short(typed(entry.command))}`

const logsText = ({ commands, lossy, nextCursor, olderCount = 0, output, skippedBytes = 0 }: LogsResult): string =>
  lines(
    commands.length === 0 && output === undefined && "no command ran since the workspace was made or reset",
    ...commands.map(line),
    olderCount > 0 && `and ${count(olderCount, "older command")}`,
    skippedBytes > 0 && `[${count(skippedBytes, "byte")} before this no longer kept]`,
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
