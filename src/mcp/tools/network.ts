import {
  connectionsText,
  droppedLines,
  hasConnections,
  policyText,
  subjectText,
  targetText
} from "../../contract/rows/network-text.ts"
import type { NetworkRecord } from "../../contract/rows/workspace-network.ts"
import type { Tool } from "../request.ts"
import { bytes, lines } from "../words.ts"

const entryText = (one: NetworkRecord): string =>
  [
    one.at,
    one.outcome,
    subjectText(one),
    ...(one.address === undefined ? [] : [`${bytes(one.bytesOut)} sent, ${bytes(one.bytesIn)} received`]),
    ...(one.reason === undefined ? [] : [one.reason]),
    ...(one.option === undefined ? [] : [`to allow: ${one.option}`])
  ].join("  ")

export const networkSetTool: Tool<"workspace.network.set"> = {
  text: (changed) => {
    const { resetCount, workspace: { id, network } } = changed
    return lines(
      `workspace ${id}: network ${network === undefined ? "off" : policyText(network)}`,
      ...droppedLines(changed),
      resetCount > 0 && `${resetCount} open connections reset`
    )
  }
}

export const networkLogTool: Tool<"workspace.network.log"> = {
  text: ({ entries, nextCursor, open }, { inWords }) =>
    lines(
      entries.length + open.length === 0 && "no entries",
      inWords(lines(...entries.map(entryText))),
      ...open.map((one) => `${one.at}  open  ${targetText(one)}`),
      `[go on with cursor ${nextCursor}]`
    )
}

/** The network of a workspace in one line. */
export const networkLine = (network: Parameters<typeof policyText>[0] & Parameters<typeof hasConnections>[0]) =>
  `network: ${policyText(network)}${hasConnections(network) ? `; ${connectionsText(network)}` : ""}`
