import type { SnapshotInfo } from "../../contract/rows/workspace-snapshot.ts"
import type { Tool } from "../request.ts"
import { bytes, count, lines } from "../words.ts"

/** A snapshot in one line: its name, what it holds, since when. */
const line = ({ createdAt, durable, kind, memoryBytes, name, runningCommands }: SnapshotInfo): string =>
  [
    `${name}: ${kind === "memory" ? `memory (${bytes(memoryBytes)}) and disk` : "disk"} of ${createdAt}`,
    ...(runningCommands > 0 ? [`${count(runningCommands, "command")} running`] : []),
    ...(durable ? [] : ["not yet durable"])
  ].join(", ")

export const snapshotListTool: Tool<"workspace.snapshot.list"> = {
  text: ({ snapshots }) =>
    lines(
      snapshots.length === 0 ? "the workspace has no snapshots" : count(snapshots.length, "snapshot"),
      ...snapshots.map(line)
    )
}
