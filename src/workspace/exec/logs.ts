import { Effect } from "effect"
import { ExecNotFound, type InvalidRequest } from "../../contract/errors.ts"
import type { LogEntry, LogsPayload, LogsResult } from "../../contract/operations/workspace-exec.ts"
import type { Commands } from "./commands.ts"
import type { JournaledCommand } from "./journal.ts"
import { readLog } from "./log.ts"

const entryOf = (commands: Commands, { end, start }: JournaledCommand): LogEntry => {
  const received = commands.running.get(start.id)?.log.received ?? { stdout: 0, stderr: 0 }
  return {
    execId: start.id,
    command: start.command,
    startedAt: start.startedAt,
    outcome: end?.outcome ?? "running",
    ...(end?.status === undefined ? {} : { status: end.status }),
    ...(end?.durationMs === undefined ? {} : { durationMs: end.durationMs }),
    outputBytes: end === undefined ? received.stdout + received.stderr : end.stdoutBytes + end.stderrBytes
  }
}

/** The newest commands, oldest of them first; or the output of one, from a cursor on. */
export const logs = (
  commands: Commands,
  payload: LogsPayload
): Effect.Effect<LogsResult, ExecNotFound | InvalidRequest> =>
  Effect.gen(function*() {
    const { execId } = payload
    if (execId === undefined) {
      return { commands: commands.journal.commands.slice(-payload.limit).map((one) => entryOf(commands, one)) }
    }
    const known = commands.journal.get(execId)
    if (known === undefined) return yield* new ExecNotFound({ workspace: payload.workspace, execId })
    const { end, pieces } = yield* readLog(commands.logFile(execId), payload.cursor, payload.maxBytes)
    const bytes = Buffer.concat(pieces.map((piece) => piece.bytes))
    const output = bytes.toString("utf8")
    const next = pieces.at(-1)?.next ?? payload.cursor
    return {
      commands: [entryOf(commands, known)],
      output,
      lossy: !Buffer.from(output, "utf8").equals(bytes),
      ...(next < end || known.end === undefined ? { nextCursor: next } : {})
    }
  })
