import { grantCommand } from "../../contract/rows/network-command.ts"
import { connectionsText, hasConnections, policyText, targetText } from "../../contract/rows/network-text.ts"
import type { SummaryCommand, SummaryResult } from "../../contract/rows/workspace-summary.ts"

type Summary = Omit<SummaryResult, "text">

const count = (number: number, what: string) => `${number} ${what}${number === 1 ? "" : "s"}`

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
  const ignored = changes.ignoredCount === 0 ? "" : `; ${count(changes.ignoredCount, "ignored file")} left out`
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

const networkLines = ({ id, lastDenied = [], name, network }: Summary) =>
  network === undefined ? [] : [
    `Network: ${policyText(network)}${hasConnections(network) ? `; connections: ${connectionsText(network)}` : ""}.`,
    ...lastDenied.map((one) =>
      `  denied ${targetText(one)}: ${one.reason ?? ""}${
        one.option === undefined ? "" : `. To allow: ${grantCommand(name ?? id, network, [one.option])}`
      }`
    )
  ]

/** A summary for people: a few dozen lines at most. */
export const summaryText = (summary: Summary): string =>
  [
    `${summary.name ?? summary.id} is ${summary.state}. Since ${summary.since}:`,
    ...commandLines(summary.commands),
    ...changeLines(summary),
    ...exportLines(summary),
    ...networkLines(summary)
  ].join("\n")
