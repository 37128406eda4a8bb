import { Effect } from "effect"
import { droppedLines, policyText, subjectText, targetText } from "../contract/rows/network-text.ts"
import type { NetworkRecord, OpenConnection } from "../contract/rows/workspace-network.ts"
import { note, print, size } from "./print.ts"
import { duration } from "./time-text.ts"
import type { View } from "./view.ts"

const bytesOf = (
  { bytesIn, bytesOut, cachedBytes }: Pick<NetworkRecord, "bytesIn" | "bytesOut" | "cachedBytes">
) =>
  `${size(bytesOut)} sent, ${size(bytesIn)} received${
    cachedBytes === undefined ? "" : ` (${size(cachedBytes)} cached)`
  }`

/** An entry in one line: time, outcome, target, and the bytes or the reason. */
const lineOf = (one: NetworkRecord): string =>
  [
    one.at,
    one.outcome,
    subjectText(one),
    ...(one.address === undefined && one.cachedBytes === undefined
      ? []
      : [`${bytesOf(one)} in ${duration(one.durationMs)}`]),
    ...(one.reason === undefined ? [] : [one.reason]),
    ...(one.option === undefined ? [] : [`to allow: ${one.option}`])
  ].join("  ")

const openLine = (one: OpenConnection): string => [one.at, "open", targetText(one), bytesOf(one)].join("  ")

const printLines = (lines: ReadonlyArray<string>) => print(lines.map((line) => `${line}\n`).join(""))

const LINE_COLUMNS = 80
const INDENT = "    "

/** Words as indented lines of at most 80 columns. */
const wrapped = (words: ReadonlyArray<string>): string => {
  const lines: Array<string> = []
  for (const word of words) {
    const last = lines.at(-1)
    const longer = `${last} ${word}`
    if (last === undefined || longer.length > LINE_COLUMNS) lines.push(INDENT + word)
    else lines[lines.length - 1] = longer
  }
  return lines.map((line) => `${line}\n`).join("")
}

export const networkViews = {
  "workspace.network.set": {
    result: (changed) => {
      const { resetCount, workspace: { id, name, network } } = changed
      const reset = resetCount === 0 ? "" : `; ${resetCount} open connections reset`
      const policy = `${name ?? id}: network ${network === undefined ? "off" : policyText(network)}${reset}`
      return note([policy, ...droppedLines(changed)].map((line) => `${line}\n`).join(""))
    }
  } satisfies View<"workspace.network.set">,
  "workspace.network.log": {
    // Ctrl-C ends a follower.
    next: (payload, { nextCursor }) => payload.follow ? { ...payload, cursor: nextCursor } : undefined,
    result: ({ droppedCount = 0, entries, open }, { denied, follow }) =>
      Effect.gen(function*() {
        if (droppedCount > 0) yield* note(`pyro: the log no longer has ${droppedCount} entries\n`)
        yield* printLines(entries.map(lineOf))
        if (follow) return
        yield* printLines(open.map(openLine))
        if (entries.length + open.length === 0) yield* note(denied ? "nothing was denied\n" : "no connections yet\n")
      })
  } satisfies View<"workspace.network.log">,
  "network.lists": {
    result: ({ lists }) =>
      print(lists.map(({ description, hosts, name }) => `${name}: ${description}\n${wrapped(hosts)}`).join(""))
  } satisfies View<"network.lists">
}
