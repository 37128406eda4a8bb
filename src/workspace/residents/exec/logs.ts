import { Effect } from "effect"
import { ExecNotFound } from "../../../contract/errors/errors.ts"
import type { LogEntry, LogsPayload, LogsResult } from "../../../contract/rows/workspace-logs.ts"
import { firstOf } from "../../../contract/text/first-of.ts"
import { utf8Text, wholeCharacters } from "../../../contract/text/utf8.ts"
import type { CommandLog } from "../../../lib/output-log/log.ts"
import type { Commands } from "./command-registry.ts"
import type { JournaledCommand } from "./journal.ts"

/** A command in a list. */
export const entryOf = (commands: Commands, { end, start }: JournaledCommand): LogEntry => {
  const log = commands.logs.get(start.id)
  const pid = commands.running.get(start.id)?.pid
  return {
    execId: start.id,
    ...(pid === undefined ? {} : { pid }),
    command: start.command,
    startedAt: start.startedAt,
    outcome: end?.outcome ?? "running",
    ...(end?.status === undefined ? {} : { status: end.status }),
    ...(end?.durationMs === undefined ? {} : { durationMs: end.durationMs }),
    outputBytes: log?.position ?? 0,
    ...(start.client === undefined ? {} : { client: start.client }),
    ...(start.inherited === undefined ? {} : { inherited: start.inherited }),
    ...(log === undefined || log.droppedBytes === 0 ? {} : { droppedBytes: log.droppedBytes })
  }
}

const PAGE_BYTES = 1_048_576
/** Command lines are cut to some thousand characters, so most of 10,000 are listed. */
const MAX_LIST_BYTES = 12_582_912

/** Output of a log from a cursor on, at most `maxBytes`. Text ends with a whole character if possible. */
export const pageOf = (
  log: CommandLog,
  { cursor, encoding, maxBytes = PAGE_BYTES }: Pick<LogsPayload, "cursor" | "encoding" | "maxBytes">
) => {
  const { bytes: all, skipped } = log.page(cursor, maxBytes)
  const begin = cursor + skipped
  const isEnd = log.ended && begin + all.length >= log.position
  const bytes = encoding === "text" && !isEnd ? all.subarray(0, wholeCharacters(all) || all.length) : all
  return { bytes, skipped, next: begin + bytes.length }
}

/** The newest commands in order of age, or the output of one from a cursor on. */
export const logs = (commands: Commands, payload: LogsPayload): Effect.Effect<LogsResult, ExecNotFound> =>
  Effect.suspend(() => {
    const { execId } = payload
    if (execId === undefined) {
      const all = commands.journal.execs
      const newestFirst = all.slice(-payload.limit).reverse().map((one) => entryOf(commands, one))
      const listed = [...firstOf(newestFirst, { most: payload.limit, maxBytes: MAX_LIST_BYTES })].reverse()
      const olderCount = all.length - listed.length
      return Effect.succeed<LogsResult>({ commands: listed, ...(olderCount === 0 ? {} : { olderCount }) })
    }
    const known = commands.journal.get(execId)
    const log = commands.logs.get(execId)
    if (known === undefined || log === undefined) return new ExecNotFound({ workspace: payload.workspace, execId })
    const { bytes, next, skipped } = pageOf(log, payload)
    const { lossy, text } = payload.encoding === "text"
      ? utf8Text(bytes)
      : { text: bytes.toString("base64"), lossy: false }
    return Effect.succeed<LogsResult>({
      commands: [entryOf(commands, known)],
      output: text,
      lossy,
      ...(skipped === 0 ? {} : { skippedBytes: skipped }),
      ...(known.end === undefined || next < log.position ? { nextCursor: next } : {})
    })
  })
