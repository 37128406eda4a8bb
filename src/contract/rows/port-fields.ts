import { Schema } from "effect"
import { optional } from "../text/fields.ts"
import { snakeStruct } from "../text/snake.ts"
import { lazy } from "./operation.ts"

/** A guest port to publish. Without `hostPort`, the host chooses a free one. */
export interface AskedPort {
  readonly guestPort: number
  readonly hostPort?: number
}

const FORM = /^(?:([0-9]{1,5}):)?([0-9]{1,5})$/

const isPort = (port: number) => port >= 1 && port <= 65_535

/** Reads `[HOST_PORT:]GUEST_PORT`, where the host port 0 is none; undefined for anything else. */
export const readPort = (text: string): AskedPort | undefined => {
  const [, host, guest] = FORM.exec(text) ?? []
  if (guest === undefined || !isPort(Number(guest))) return undefined
  if (host === undefined || Number(host) === 0) return { guestPort: Number(guest) }
  return isPort(Number(host)) ? { guestPort: Number(guest), hostPort: Number(host) } : undefined
}

/** A port to publish, as `publish` of a service and `port publish` take it. */
export const portText = (description: string) =>
  Schema.String.pipe(
    Schema.check(
      Schema.makeFilter((text) => readPort(text) !== undefined, {
        message:
          "must be [HOST_PORT:]GUEST_PORT with ports from 1 to 65535, such as 8080:3000 or 3000. The host listens on 127.0.0.1, and takes no other address"
      })
    ),
    Schema.annotate({ description })
  )

export const GuestPort = () => Schema.Int.annotate({ description: "TCP port of the guest's loopback" })

export const HostPort = () =>
  optional(
    Schema.Int.annotate({
      description: "Port of 127.0.0.1 on the host. Absent while the workspace does not run"
    })
  )

/** A port of the guest that the host listens for. */
export const PublishedPort = lazy(() =>
  snakeStruct({
    guestPort: GuestPort(),
    hostPort: HostPort(),
    service: optional(
      Schema.String.annotate({ description: "Service that the port belongs to. Absent without one" })
    )
  })
)
export type PublishedPort = ReturnType<typeof PublishedPort>["Type"]
