import { Effect } from "effect"
import { readPort } from "../../contract/rows/port-fields.ts"
import type { Works } from "./work.ts"

/** The work of the operations on published ports. */
export const portWorks = {
  "workspace.port.publish": ({ ports }, { port, workspace }) => ports.publish({ ...readPort(port)!, workspace }),
  "workspace.port.list": ({ ports }) => Effect.sync(() => ({ ports: ports.list() })),
  "workspace.port.unpublish": ({ ports }, { guestPort, workspace }) => ports.unpublish(guestPort, workspace)
} satisfies Partial<Works>
