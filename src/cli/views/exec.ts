import { Clock, Effect } from "effect"
import type { PayloadOf, ResultOf } from "../../contract/rows/operations.ts"
import type { LogEntry } from "../../contract/rows/workspace-logs.ts"
import { count } from "../../contract/text/count.ts"
import { typed } from "../../contract/text/printable.ts"
import {
  ago,
  duration,
  endLine,
  note,
  noteOnNewLine,
  OutputOptions,
  print,
  printContent,
  showOutput,
  size,
  warn,
  warnDropped
} from "../output/print.ts"
import { type Cell, painted, printTable } from "../output/table.ts"
import type { View, Views } from "./view.ts"

/** How a command failed, in one line. Undefined for success, and for a command that runs. */
const failureText = (
  { outcome, signal, status }: Pick<LogEntry, "outcome" | "status"> & { readonly signal?: number }
): string | undefined => {
  switch (outcome) {
    case "running":
      return undefined
    case "exited":
      return status === undefined || status === 0 ? undefined : `the command ended with status ${status}`
    case "signaled":
      return `signal ${signal ?? (status ?? 128) - 128} ended the command`
    case "timed_out":
      return "the command ran past its timeout and was ended (--timeout-seconds)"
    case "out_of_memory":
      return "the guest ran out of memory and killed the command"
    case "lost":
      return "the microVM ended before the command's end was known"
  }
}

const noteFailure = (how: Parameters<typeof failureText>[0]) => {
  const text = failureText(how)
  return text === undefined ? Effect.void : noteOnNewLine(`pyro: ${text}\n`)
}

const end = (
  result: ResultOf<"workspace.exec">,
  { detach, workspace }: PayloadOf<"workspace.exec">,
  isFollowed: boolean
) => {
  switch (result.outcome) {
    case "exited":
      return Effect.andThen(
        result.droppedBytes === undefined
          ? Effect.void
          : note(
            `pyro: ${count(result.droppedBytes, "byte")} of the output ${
              result.droppedBytes === 1 ? "is" : "are"
            } not in the log\n`
          ),
        // The exit status of `exec` is the command's, and that of a follower is pyro's own.
        isFollowed ? noteFailure(result) : Effect.void
      )
    case "running":
      return detach
        ? print(`${result.execId}\n`)
        : warn(
          `pyro: still running; come back with: pyro exec ${
            typed([workspace, "--exec-id", result.execId, "--cursor", String(result.nextCursor)])
          }\n`
        )
    default:
      return noteFailure(result)
  }
}

/** The command's output as it arrives and its end, or only its id. */
const execView: View<"workspace.exec"> = {
  event: (event) =>
    Effect.flatMap(OutputOptions, ({ switches }) => switches.has("id-only") ? Effect.void : showOutput(event)),
  result: (result, payload) =>
    Effect.flatMap(
      OutputOptions,
      ({ switches }) =>
        switches.has("id-only") ? print(`${result.execId}\n`) : end(result, payload, switches.has("follow"))
    )
}

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

/** Note about a cursor after the end of a command's output. */
const behind = (cursor: number, { outcome, outputBytes }: LogEntry) =>
  note(
    `pyro: nothing from byte ${cursor} on; the output has ${count(outputBytes, "byte")}${
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

/** A list of commands, or the whole output of one: page after page, unless the request has a limit or an encoding for programs. */
const logsView: View<"workspace.logs"> = {
  next: ({ cursor, encoding, maxBytes, ...rest }, { nextCursor }) =>
    nextCursor === undefined || nextCursor === cursor || maxBytes !== undefined || encoding !== "text"
      ? undefined
      : { ...rest, encoding, cursor: nextCursor },
  result: (
    { commands, nextCursor, olderCount = 0, output, skippedBytes },
    { cursor, encoding, maxBytes, workspace }
  ) =>
    Effect.gen(function*() {
      yield* warnDropped(skippedBytes)
      if (output !== undefined) {
        yield* printContent(output)
        const [command] = commands
        if (command !== undefined && cursor > command.outputBytes) yield* behind(cursor, command)
        const isCut = maxBytes !== undefined || encoding !== "text"
        if (isCut && nextCursor !== undefined && nextCursor !== cursor) {
          yield* endLine(output)
          yield* note(`pyro: there may be more; continue with --cursor ${nextCursor}\n`)
        } else if (command !== undefined && encoding === "text" && (nextCursor ?? cursor) === cursor) {
          yield* noteFailure(command)
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

export const execViews = {
  "run": {
    event: showOutput,
    result: (result) => {
      switch (result.outcome) {
        case "exited":
          return Effect.void
        case "signaled":
          return note(`pyro: signal ${result.signal ?? result.status - 128} ended the command\n`)
        case "timed_out":
          return note(`pyro: the command ran past its timeout and was killed (--timeout-seconds)\n`)
        case "out_of_memory":
          return note(`pyro: the guest ran out of memory and killed the command; give it more with --mem-mib\n`)
      }
    }
  },
  "workspace.exec": execView,
  "workspace.cancel": {
    result: ({ cancelled }) => note(cancelled ? "ended\n" : "the command had ended before\n")
  },
  "workspace.signal": {
    result: ({ signaled }) => note(signaled ? "sent\n" : "the command had ended before\n")
  },
  "workspace.resize": {
    result: ({ resized }) => note(resized ? "resized\n" : "the command had ended before\n")
  },
  "workspace.stdin": {
    result: ({ ended, writtenBytes }) =>
      note(ended ? "the command had ended before\n" : `${size(writtenBytes)} written\n`)
  },
  "workspace.logs": logsView
} satisfies Views
