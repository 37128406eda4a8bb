import { Effect, Option } from "effect"
import type { PyroError } from "../../contract/errors/errors.ts"
import { connectionsText, hasConnections, policyText, targetText } from "../../contract/rows/network-text.ts"
import type { DiffResult } from "../../contract/rows/workspace-diff.ts"
import type { SummaryCommand, SummaryExport, SummaryResult } from "../../contract/rows/workspace-summary.ts"
import { count } from "../../contract/text/count.ts"
import type { Entry } from "../entry/entry.ts"
import { readEvents, sinceReset, type WorkspaceLogEvent } from "../entry/events.ts"
import type { JournaledCommand } from "../residents/exec/journal.ts"
import type { Network } from "../residents/network/network.ts"
import { openResidentsOf } from "../residents/open/entry-residents.ts"
import { lineOf, NAMED_RUNNING } from "../residents/program/command.ts"

type Summary = Omit<SummaryResult, "text">

const duration = (ms: number) => ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`

const outcomeOf = ({ durationMs, execId, outcome, status }: SummaryCommand) => {
  const time = durationMs === undefined ? "" : ` after ${duration(durationMs)}`
  switch (outcome) {
    case "exited":
      return `status ${status ?? 0}${time}`
    case "signaled":
      return `ended by signal ${(status ?? 128) - 128}${time}`
    case "timed_out":
      return `timed out${time}`
    case "out_of_memory":
      return `out of memory${time}`
    case "running":
      return `still running (${execId})`
    case "lost":
      return "lost with its microVM"
  }
}

const commandLines = (
  { failed, last, lastFailed, running, stillRunning, succeeded, total }: Summary["commands"]
) => {
  if (total === 0) return ["Commands: none."]
  const counts = [
    ...(succeeded > 0 ? [`${succeeded} succeeded`] : []),
    ...(failed > 0 ? [`${failed} failed`] : []),
    ...(running > 0 ? [`${running} running`] : [])
  ]
  const shown = new Set(last.map(({ execId }) => execId))
  const notShown = ({ execId }: { readonly execId: string }) => !shown.has(execId)
  const earlier = lastFailed.filter(notShown)
  const earlierRunning = stillRunning.filter(notShown)
  const line = (one: SummaryCommand) => `  ${one.command === "" ? "(login shell)" : one.command} - ${outcomeOf(one)}`
  return [
    `Commands: ${total}, ${counts.join(", ")}.`,
    ...(earlier.length === 0 ? [] : ["Earlier failures:", ...earlier.map(line)]),
    ...(earlierRunning.length === 0
      ? []
      : ["Started earlier:", ...earlierRunning.map((one) => line({ ...one, outcome: "running" }))]),
    total > last.length ? `The last ${last.length}:` : "They were:",
    ...last.map(line)
  ]
}

const changeLines = ({ changes, changesUnknown }: Summary) => {
  if (changes === undefined) return [`Changed files: unknown, ${changesUnknown ?? ""}`]
  const left = changes.ignoredCount === 0 ? "" : `; ${count(changes.ignoredCount, "ignored file")} left out`
  const ignored = changes.nestedCount === undefined
    ? left
    : `${left}; new files of ${count(changes.nestedCount, "nested repo")} left out`
  if (changes.files === 0) return [`Changed files: none${ignored}.`]
  const more = changes.files - changes.first.length
  return [
    `Changed files: ${changes.files}, +${changes.additions} -${changes.deletions}${ignored}.`,
    ...changes.first.map(({ path, status }) => `  ${status} ${path}`),
    ...(more > 0 ? [`  and ${more} more`] : [])
  ]
}

const exportLines = ({ exportCount, exports }: Summary) => {
  if (exportCount === 0) return ["Exports: none."]
  return [
    `Exports: ${exportCount}.`,
    ...exports.map(({ kind, output, path }) =>
      `  ${kind}${path === undefined ? "" : ` ${path}`} to ${output === "-" ? "standard output" : output}`
    )
  ]
}

const networkLines = ({ lastDenied = [], network }: Summary) =>
  network === undefined ? [] : [
    `Network: ${policyText(network)}${hasConnections(network) ? `; connections: ${connectionsText(network)}` : ""}.`,
    ...lastDenied.map((one) => `  denied ${targetText(one)}: ${one.reason ?? ""}`)
  ]

/** A summary for people, of a few dozen lines at most. */
export const summaryText = (summary: Summary): string =>
  [
    `${summary.name ?? summary.id} is ${summary.state}. Since ${summary.since}:`,
    ...commandLines(summary.commands),
    ...changeLines(summary),
    ...exportLines(summary),
    ...networkLines(summary)
  ].join("\n")

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
  ...(diff.nestedCount === undefined ? {} : { nestedCount: diff.nestedCount }),
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
export const summarize = <E extends PyroError, R>(
  entry: Entry,
  diff: Effect.Effect<DiffResult, E, R>
): Effect.Effect<SummaryResult, never, R> =>
  Effect.gen(function*() {
    const record = yield* entry.record.now
    const { state } = yield* entry.state.now
    const residents = yield* openResidentsOf(entry)
    const { events, resetAt } = sinceReset(yield* readEvents(entry.folder.directory))
    const exports = events.flatMap((event) => event._tag === "export" ? [exportOf(event)] : [])
    const changes = yield* diff.pipe(
      Effect.match({
        onFailure: ({ fact }) => ({ changesUnknown: fact }),
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
