import { Effect } from "effect"
import type { WatchedWorkspace, WatchTable } from "../contract/rows/workspace-events.ts"
import { size } from "./print.ts"
import { tableText } from "./table.ts"
import { Terminal } from "./terminal.ts"

const row = (one: WatchedWorkspace): ReadonlyArray<string> => [
  one.id,
  one.name ?? "-",
  one.state,
  one.cpuPercent === undefined ? "-" : `${one.cpuPercent.toFixed(1)}%`,
  size(one.memoryBytes),
  size(one.diskBytes),
  ...[one.execs, one.services, one.shells, one.ports].map(String)
]

/** A table of workspaces as text, as wide as the terminal. */
export const topTable = ({ workspaces }: WatchTable): Effect.Effect<string, never, Terminal> =>
  Effect.gen(function*() {
    const { colour, size: sizeOf, stdoutIsTerminal } = yield* Terminal
    const width = stdoutIsTerminal ? (yield* sizeOf).cols : Number.POSITIVE_INFINITY
    return yield* tableText([
      ["ID", "NAME", "STATE", "CPU", "MEMORY", "DISK", "EXECS", "SERVICES", "SHELLS", "PORTS"],
      ...workspaces.map(row)
    ], { head: true, flexible: [1], width, colour })
  })
