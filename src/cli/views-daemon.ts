import { Effect } from "effect"
import type { ResultOf } from "../contract/operations.ts"
import { print, size } from "./print.ts"
import { printTable } from "./table.ts"
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

const status: View<"daemon.status"> = {
  result: ({ logPath, metrics, pid, running, startedAt, version, vms }) =>
    Effect.zipRight(
      print(
        (running ? `running: process ${pid}, pyro ${version}, since ${startedAt}\n` : "not running\n") +
          `log: ${logPath}\n` +
          (metrics === undefined ? "" : metricsLine(metrics))
      ),
      vms.length === 0 ? Effect.void : printTable([
        ["VM", "PURPOSE", "WORKSPACE", "PID", "MEMORY"],
        ...vms.map((vm) => [vm.id, vm.purpose, vm.workspace ?? "-", String(vm.pid ?? "-"), `${vm.memoryMib} MiB`])
      ], { head: true })
    )
}

export const daemonViews = {
  "daemon.status": status,
  "daemon.stop": { result: ({ stopped }) => print(stopped ? "stopped\n" : "no daemon was running\n") },
  "daemon.logs": { result: ({ text }) => print(text) }
} satisfies { readonly [Name in "daemon.status" | "daemon.stop" | "daemon.logs"]: View<Name> }
