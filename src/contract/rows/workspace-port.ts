import { Schema } from "effect"
import { between, described, integer, must, optional, string } from "../text/fields.ts"
import { snakeStruct } from "../text/snake.ts"
import { always, lazy, unary } from "./operation.ts"
import { at, settled, waits, withCommands } from "./states.ts"
import { workspaceField, WorkspaceRef } from "./workspace-field.ts"

/** A guest port to publish. Without `hostPort`, the host chooses a free one. */
export interface AskedPort {
  readonly guestPort: number
  readonly hostPort?: number
}

const FORM = /^(?:([0-9]{1,5}):)?([0-9]{1,5})$/

const isPort = (port: number) => port >= 1 && port <= 65_535

/** Reads `[HOST_PORT:]GUEST_PORT`. The host port 0 is none. Undefined for any other text. */
export const readPort = (text: string): AskedPort | undefined => {
  const [, host, guest] = FORM.exec(text) ?? []
  if (guest === undefined || !isPort(Number(guest))) return undefined
  if (host === undefined || Number(host) === 0) return { guestPort: Number(guest) }
  return isPort(Number(host)) ? { guestPort: Number(guest), hostPort: Number(host) } : undefined
}

/** A port to publish, as `publish` of a service and `port publish` take it. */
export const portText = (description: string) =>
  Schema.String.pipe(
    must(
      (text) => readPort(text) !== undefined,
      "must be [HOST_PORT:]GUEST_PORT with ports from 1 to 65535, such as 8080:3000 or 3000. The host listens on 127.0.0.1, and takes no other address"
    ),
    described(description)
  )

export const GuestPort = () => integer("TCP port of the guest's loopback")

export const HostPort = () =>
  optional(integer("Port of 127.0.0.1 on the host. Absent while the workspace does not run"))

/** A port of the guest that the host publishes. */
export const PublishedPort = lazy(() =>
  snakeStruct({
    guestPort: GuestPort(),
    hostPort: HostPort(),
    service: optional(string("Service that the port belongs to. Absent without one"))
  })
)
export type PublishedPort = ReturnType<typeof PublishedPort>["Type"]

export const PortPublishPayload = lazy(() =>
  snakeStruct({
    workspace: workspaceField(),
    port: portText(
      "Port of the guest, after the port of the host: [HOST_PORT:]GUEST_PORT. Without HOST_PORT, or with 0, the host chooses a free one"
    )
  })
)
export type PortPublishPayload = ReturnType<typeof PortPublishPayload>["Type"]

export const workspacePortPublish = unary({
  name: "workspace.port.publish",
  summary: "Listen on a port of this host for a port of the guest",
  description:
    "Listens on 127.0.0.1 of the host, and connects each client to the port on the guest's loopback, 127.0.0.1 or ::1. The listener lasts until " +
    "`port unpublish`, a reset to the baseline, or the deletion. It ends with a stop, and a start brings it back. A fork and a restored " +
    "snapshot listen on ports of their own.",
  cli: {
    path: ["workspace", "port", "publish"],
    args: ["workspace", "port"],
    examples: ["pyro port publish fix 3000", "pyro port publish fix 8080:3000"]
  },
  mcp: {
    tool: "port_publish",
    profiles: ["full"],
    title: "Publish a port",
    description: "Listen on 127.0.0.1 of the user's host for a guest port; needs network_policy egress+published-ports",
    arguments: { workspace: {}, port: { description: "[HOST_PORT:]GUEST_PORT" } }
  },
  states: at(["running"], waits),
  on: "running",
  writes: always,
  errors: ["PortAlreadyPublished", "PortInUse", "PortUnavailable", "PublishingNotAllowed"],
  annotations: { readOnly: false, destructive: false, idempotent: true, openWorld: true },
  payload: PortPublishPayload,
  result: PublishedPort
})

const PortListResult = lazy(() =>
  Schema.Struct({ ports: Schema.Array(PublishedPort()).annotate({ description: "Published ports, by guest port" }) })
)

export const workspacePortList = unary({
  name: "workspace.port.list",
  summary: "List the published ports of a workspace",
  description: "Shows each published port of the guest with its port of the host, and the service that it belongs to.",
  cli: { path: ["workspace", "port", "list"], args: ["workspace"], examples: ["pyro port list fix"] },
  mcp: { missing: "workspace_status shows the ports" },
  states: at(withCommands),
  on: "residents",
  errors: [],
  annotations: { readOnly: true, destructive: false, idempotent: true, openWorld: false },
  payload: WorkspaceRef,
  result: PortListResult
})

export const PortUnpublishPayload = lazy(() =>
  snakeStruct({
    workspace: workspaceField(),
    guestPort: between({ from: 1, to: 65_535, description: "Port of the guest" })
  })
)
export type PortUnpublishPayload = ReturnType<typeof PortUnpublishPayload>["Type"]

export const workspacePortUnpublish = unary({
  name: "workspace.port.unpublish",
  summary: "Stop listening for a port of the guest",
  description: "Ends the listener on the host, and resets its connections. The program in the guest goes on.",
  cli: {
    path: ["workspace", "port", "unpublish"],
    args: ["workspace", "guest_port"],
    examples: ["pyro port unpublish fix 3000"]
  },
  mcp: {
    tool: "port_unpublish",
    profiles: ["full"],
    title: "Unpublish a port",
    description: "Stop listening for a guest port",
    arguments: { workspace: {}, guest_port: { description: "As published" } }
  },
  states: at(settled, waits),
  on: "residents",
  errors: ["PortNotPublished"],
  annotations: { readOnly: false, destructive: false, idempotent: false, openWorld: false },
  payload: PortUnpublishPayload,
  result: PublishedPort
})
