import type { PublishedPort } from "../contract/operations/port-fields.ts"
import { note, print } from "./print.ts"
import { printTable } from "./table.ts"
import type { View } from "./view.ts"

const hostOf = ({ hostPort }: PublishedPort) => hostPort === undefined ? "-" : `127.0.0.1:${hostPort}`

/** Published ports in one line. */
export const portsText = (ports: ReadonlyArray<PublishedPort>): string =>
  ports.map((one) => `${hostOf(one)} -> ${one.guestPort}${one.service === undefined ? "" : ` (${one.service})`}`)
    .join(", ")

export const portViews = {
  "workspace.port.publish": { result: (port) => print(`${hostOf(port)}\n`) } satisfies View<"workspace.port.publish">,
  "workspace.port.list": {
    result: ({ ports }) =>
      ports.length === 0
        ? note("no published ports; publish one: pyro workspace port publish\n")
        : printTable([
          ["GUEST", "HOST", "SERVICE"],
          ...ports.map((one) => [String(one.guestPort), hostOf(one), one.service ?? "-"])
        ], { head: true })
  } satisfies View<"workspace.port.list">,
  "workspace.port.unpublish": {
    result: ({ guestPort }) => note(`port ${guestPort} of the guest is no longer published\n`)
  } satisfies View<"workspace.port.unpublish">
}
