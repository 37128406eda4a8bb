import { Effect, Option, Ref } from "effect"
import type { PyroError } from "../../contract/errors/errors.ts"
import type { DiffResult } from "../../contract/rows/workspace-diff.ts"
import type { SummaryCommand, SummaryExport, SummaryResult } from "../../contract/rows/workspace-summary.ts"
import type { Entry } from "../entry/entry.ts"
import { readEvents, sinceReset, type WorkspaceLogEvent } from "../entry/events.ts"
import { lineOf, NAMED_RUNNING } from "../residents/command.ts"
import { openResidentsOf } from "../residents/entry-residents.ts"
import type { JournaledCommand } from "../residents/exec/journal.ts"
import type { Network } from "../residents/network/network.ts"
import { summaryText } from "./summary-text.ts"

const NAMED_COMMANDS = 5
const NAMED_FILES = 20
const NAMED_EXPORTS = 5
const NAMED_DENIALS = 5
const DIFF_TIMEOUT = "30 seconds"
const commandOf = ({ end, start }: JournaledCommand): SummaryCommand => ({
  execId: start.id,
  command: lineOf(start.command),
  outcome: end?.outcome ?? "running",
  ...(end?.status === undefined ? {} : { status: end.status }),
  ...(end?.durationMs === undefined ? {} : { durationMs: end.durationMs })
})

const hasSucceeded = ({ end }: JournaledCommand) => end?.outcome === "exited" && end.status === 0

const commandsSummary = (commands: ReadonlyArray<JournaledCommand>): SummaryResult["commands"] => {
  const failed = commands.filter((one) => one.end !== undefined && !hasSucceeded(one))
  const succeeded = commands.filter(hasSucceeded).length
  return {
    total: commands.length,
    succeeded,
    failed: failed.length,
    running: commands.length - succeeded - failed.length,
    stillRunning: commands.filter(({ end }) => end === undefined).slice(-NAMED_RUNNING).map(({ start }) => ({
      execId: start.id,
      command: lineOf(start.command)
    })),
    lastFailed: failed.slice(-NAMED_COMMANDS).map(commandOf),
    last: commands.slice(-NAMED_COMMANDS).map(commandOf)
  }
}

const changesSummary = (diff: DiffResult): Required<SummaryResult>["changes"] => ({
  files: diff.summary.files,
  additions: diff.summary.additions ?? 0,
  deletions: diff.summary.deletions ?? 0,
  ignoredCount: diff.ignoredCount,
  first: diff.files.slice(0, NAMED_FILES).map(({ path, status }) => ({ path, status }))
})

const exportOf = (
  { at, bytes, files, kind, path, to }: Extract<WorkspaceLogEvent, { _tag: "export" }>
): SummaryExport => ({
  at,
  kind,
  ...(path === undefined ? {} : { path }),
  output: to,
  files,
  bytes
})

const networkSummary = ({ info, log }: Network, sinceIso: string): Pick<SummaryResult, "lastDenied" | "network"> => {
  const network = info()
  const { entries } = log.page({ denied: true, limit: NAMED_DENIALS })
  return { network, lastDenied: entries.filter(({ at }) => at >= sinceIso) }
}

/**
 * Activity in a workspace since its creation or last reset. Without a running VM, or if its trees cannot be compared, the summary
 * omits the changes and gives the reason.
 */
export const summarize = <R>(
  entry: Entry,
  diff: Effect.Effect<DiffResult, PyroError, R>
): Effect.Effect<SummaryResult, never, R> =>
  Effect.gen(function*() {
    const record = yield* Ref.get(entry.record)
    const { state } = yield* Ref.get(entry.state)
    const residents = yield* openResidentsOf(entry)
    const { events, resetAt } = sinceReset(yield* readEvents(entry.folder.directory))
    const exports = events.flatMap((event) => event._tag === "export" ? [exportOf(event)] : [])
    const changes = yield* diff.pipe(
      Effect.match({
        onFailure: ({ message }) => ({ changesUnknown: message }),
        onSuccess: (found) => ({ changes: changesSummary(found) })
      }),
      Effect.timeoutOrElse({
        duration: DIFF_TIMEOUT,
        orElse: () => Effect.succeed({ changesUnknown: `the guest compared for more than ${DIFF_TIMEOUT}` })
      })
    )
    const since = resetAt ?? record.createdAt
    const summary: Omit<SummaryResult, "text"> = {
      id: record.id,
      ...(record.name === undefined ? {} : { name: record.name }),
      state,
      since,
      commands: commandsSummary(
        Option.match(residents, { onNone: () => [], onSome: ({ commands }) => commands.journal.execs })
      ),
      ...changes,
      exportCount: exports.length,
      exports: exports.slice(-NAMED_EXPORTS),
      ...(Option.isNone(residents) ? {} : networkSummary(residents.value.network, since))
    }
    return { ...summary, text: summaryText(summary) }
  })
