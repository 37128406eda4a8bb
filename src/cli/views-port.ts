import { Effect } from "effect"
import type { PublishedPort } from "../contract/rows/workspace-port.ts"
import { note, print } from "./print.ts"
import { printTable } from "./table.ts"
import type { View } from "./view.ts"

const hostOf = ({ hostPort }: PublishedPort) => hostPort === undefined ? "-" : `127.0.0.1:${hostPort}`

/** Published ports in one line. */
export const portsText = (ports: ReadonlyArray<PublishedPort>): string =>
  ports.map((one) => `${hostOf(one)} -> ${one.guestPort}${one.service === undefined ? "" : ` (${one.service})`}`)
    .join(", ")

export const portViews = {
  "workspace.port.publish": {
    result: (port, { workspace }) =>
      Effect.andThen(
        print(`${hostOf(port)}\n`),
        note(`end it: pyro port unpublish ${workspace} ${port.guestPort}\n`)
      )
  } satisfies View<"workspace.port.publish">,
  "workspace.port.list": {
    result: ({ ports }, { workspace }) =>
      ports.length === 0
        ? note(`no published ports. Publish one: pyro port publish ${workspace} 3000\n`)
        : printTable([
          ["GUEST", "HOST", "SERVICE"],
          ...ports.map((one) => [String(one.guestPort), hostOf(one), one.service ?? "-"])
        ], { head: true })
  } satisfies View<"workspace.port.list">,
  "workspace.port.unpublish": {
    result: ({ guestPort }, { workspace }) =>
      note(
        `port ${guestPort} of the guest is no longer published. Publish it again: pyro port publish ${workspace} ${guestPort}\n`
      )
  } satisfies View<"workspace.port.unpublish">
}
