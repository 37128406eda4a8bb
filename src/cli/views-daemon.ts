import { Effect } from "effect"
import type { DiskUsage } from "../contract/rows/disk-usage.ts"
import type { ResultOf } from "../contract/rows/operations.ts"
import { note, print, size } from "./print.ts"
import { painted, printTable } from "./table.ts"
import type { View } from "./view.ts"

type Metrics = NonNullable<ResultOf<"daemon.status">["metrics"]>

/** The metrics in one line; `--json` shows all of them. */
const metricsLine = ({ bytes, liveVms, operations, pool }: Metrics) => {
  const total = operations.reduce((sum, { count }) => sum + count, 0)
  const failed = operations.reduce((sum, { count, outcome }) => outcome === "ok" ? sum : sum + count, 0)
  return `operations: ${total}, ${failed} failed; microVMs: ${liveVms}, ${pool.members} in the pool ` +
    `(${pool.hits} hits, ${pool.misses} misses); in: ${size(bytes.seed + bytes.push)}, ` +
    `out: ${size(bytes.export + bytes.output)}\n`
}

/** Number of workspaces that the table of disk use names. */
const NAMED_WORKSPACES = 5

/** What uses the host's disk, as a table. */
export const diskText = ({ budgetBytes, evictableBytes, freeBytes, usedBytes, uses, workspaces }: DiskUsage) =>
  printTable([
    ["DISK", "SIZE"],
    ...uses.map(({ bytes, what }) => [what, size(bytes)]),
    ...workspaces.slice(0, NAMED_WORKSPACES).map(({ bytes, workspace }) => [`  ${workspace}`, size(bytes)]),
    ["total", `${size(usedBytes)}${budgetBytes === undefined ? "" : ` of ${size(budgetBytes)}`}`],
    ["evictable", size(evictableBytes)],
    ["free", size(freeBytes)]
  ], { head: true })

const status: View<"daemon.status"> = {
  result: ({ disk, logPath, metrics, pid, running, startedAt, version, vms }) =>
    Effect.all([
      print(
        (running ? `running: process ${pid}, pyro ${version}, since ${startedAt}\n` : "not running\n") +
          `log: ${logPath}\n` +
          (metrics === undefined ? "" : metricsLine(metrics))
      ),
      vms.length === 0 ? Effect.void : printTable([
        ["VM", "PURPOSE", "WORKSPACE", "PID", "MEMORY"],
        ...vms.map((vm) => [vm.id, vm.purpose, vm.workspace ?? "-", String(vm.pid ?? "-"), `${vm.memoryMib} MiB`])
      ], { head: true }),
      diskText(disk)
    ], { discard: true })
}

type Operation = ResultOf<"daemon.timings">["operations"][number]

const facts = (attributes: Operation["attributes"]) =>
  Object.entries(attributes).map(([name, value]) => `${name}=${String(value)}`).join(" ")

const msText = (ms: number) => `${ms < 10 ? ms.toFixed(1) : String(Math.round(ms))} ms`

/** One line for the operation and one for each step, indented by its depth. */
const timingRows = ({ attributes, durationMs, omittedSteps, operation, outcome, startedAt, steps }: Operation) => [
  [painted("bold", operation), startedAt, msText(durationMs), `${outcome} ${facts(attributes)}`.trim()],
  ...steps.map((step) => [
    "  ".repeat(step.depth + 1) + step.name,
    `+${msText(step.startMs)}`,
    msText(step.durationMs),
    `${step.outcome === "ok" ? "" : step.outcome} ${facts(step.attributes)}`.trim()
  ]),
  ...(omittedSteps === 0 ? [] : [[`  ${omittedSteps} more steps`, "", "", ""]])
]

const timings: View<"daemon.timings"> = {
  result: ({ operations, slowMs }) =>
    operations.length === 0
      ? note(`no operation of a running daemon took ${slowMs} ms or more\n`)
      : printTable([["STEP", "START", "TIME", ""], ...operations.flatMap(timingRows)], { head: true })
}

export const daemonViews = {
  "daemon.status": status,
  "daemon.stop": { result: ({ stopped }) => print(stopped ? "stopped\n" : "no daemon was running\n") },
  "daemon.logs": { result: ({ text }) => print(text) },
  "daemon.timings": timings
} satisfies { readonly [Name in "daemon.status" | "daemon.stop" | "daemon.logs" | "daemon.timings"]: View<Name> }
