import { Effect } from "effect"
import { droppedLines, policyText, remedyText, subjectText } from "../../contract/rows/network-text.ts"
import { flagName } from "../../contract/rows/next-steps.ts"
import { type NetworkRecord, type OpenConnection, workspaceNetworkSet } from "../../contract/rows/workspace-network.ts"
import type { PublishedPort } from "../../contract/rows/workspace-port.ts"
import { count } from "../../contract/text/count.ts"
import { rowText } from "../../contract/text/one-line.ts"
import { duration, note, print, size, wrapped } from "../output/print.ts"
import { printTable } from "../output/table.ts"
import type { Views } from "./view.ts"

const bytesOf = (
  { bytesIn, bytesOut, cachedBytes }: Pick<NetworkRecord, "bytesIn" | "bytesOut" | "cachedBytes">
) =>
  `${size(bytesOut)} sent, ${size(bytesIn)} received${
    cachedBytes === undefined ? "" : ` (${size(cachedBytes)} cached)`
  }`

const onceText = ({ once }: Pick<NetworkRecord, "once">) => once === true ? " once" : ""

/** An entry in one line: time, outcome, target, and the bytes or the reason. */
const lineOf = (one: NetworkRecord): string =>
  [
    one.at,
    one.outcome + onceText(one),
    subjectText(one),
    ...(one.address === undefined && one.cachedBytes === undefined
      ? []
      : [`${bytesOf(one)} in ${duration(one.durationMs)}`]),
    ...(one.reason === undefined ? [] : [one.reason]),
    ...(one.remedy === undefined
      ? []
      : [remedyText(one.remedy, (field) => `--${flagName(workspaceNetworkSet.cli, field)}`)])
  ].join("  ")

const openLine = (one: OpenConnection): string =>
  [one.at, `open${onceText(one)}`, subjectText(one), bytesOf(one)].join("  ")

const printLines = (lines: ReadonlyArray<string>) => print(lines.map((line) => `${line}\n`).join(""))

const hostOf = ({ hostPort }: PublishedPort) => hostPort === undefined ? "-" : `127.0.0.1:${hostPort}`

/** Published ports in one line. */
export const portsText = (ports: ReadonlyArray<PublishedPort>): string =>
  ports.map((one) => `${hostOf(one)} -> ${one.guestPort}${one.service === undefined ? "" : ` (${one.service})`}`)
    .join(", ")

export const networkViews = {
  "workspace.network.set": {
    result: (changed) => {
      const { resetCount, workspace: { id, name, network } } = changed
      const reset = resetCount === 0 ? "" : `; ${resetCount} open connections reset`
      const policy = `${name ?? id}: network ${network === undefined ? "off" : policyText(network)}${reset}`
      return note([policy, ...droppedLines(changed)].map((line) => `${line}\n`).join(""))
    }
  },
  "workspace.network.log": {
    // Ctrl-C ends a follower.
    items: "entries",
    next: (payload, { nextCursor }) => payload.follow ? { ...payload, cursor: nextCursor } : undefined,
    result: ({ droppedCount = 0, entries, open }, { denied, follow }) =>
      Effect.gen(function*() {
        if (droppedCount > 0) yield* note(`pyro: the log no longer has ${count(droppedCount, "entry", "entries")}\n`)
        yield* printLines(entries.map(lineOf).map((line) => rowText(line)))
        if (follow) return
        yield* printLines(open.map(openLine).map((line) => rowText(line)))
        if (entries.length + open.length === 0) yield* note(denied ? "nothing was denied\n" : "no connections yet\n")
      })
  },
  "network.lists": {
    result: ({ lists }) =>
      print(
        lists.map(({ description, hosts, name }) =>
          `${name}: ${description}\n${wrapped(hosts.join(" "), { indent: 4, width: 80 })}\n`
        ).join("")
      )
  },
  "workspace.port.publish": {
    result: (port, { workspace }) =>
      Effect.andThen(
        print(`${hostOf(port)}\n`),
        note(`end it: pyro port unpublish ${workspace} ${port.guestPort}\n`)
      )
  },
  "workspace.port.list": {
    result: ({ ports }, { workspace }) =>
      ports.length === 0
        ? note(`no published ports. Publish one: pyro port publish ${workspace} 3000\n`)
        : printTable([
          ["GUEST", "HOST", "SERVICE"],
          ...ports.map((one) => [String(one.guestPort), hostOf(one), one.service ?? "-"])
        ], { head: true })
  },
  "workspace.port.unpublish": {
    result: ({ guestPort }, { workspace }) =>
      note(
        `port ${guestPort} of the guest is no longer published. Publish it again: pyro port publish ${workspace} ${guestPort}\n`
      )
  }
} satisfies Views
