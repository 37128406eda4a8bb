import { Effect } from "effect"
import type { PyroError } from "../../contract/errors.ts"
import { type PublishedPort, readPort } from "../../contract/operations/port-fields.ts"
import type {
  PortListPayload,
  PortListResult,
  PortPublishPayload,
  PortUnpublishPayload
} from "../../contract/operations/workspace-port.ts"
import { aloneFor, type Lifecycle } from "../entry/context.ts"
import { touch } from "../entry/record.ts"
import { runningGeneration } from "../life/running.ts"
import { residentsOf } from "../residents/entry-residents.ts"

/** The operations on published ports. */
export interface PortOperations {
  readonly publish: (payload: PortPublishPayload) => Effect.Effect<PublishedPort, PyroError>
  readonly list: (payload: PortListPayload) => Effect.Effect<PortListResult, PyroError>
  readonly unpublish: (payload: PortUnpublishPayload) => Effect.Effect<PublishedPort, PyroError>
}

export const makePortOperations = (lifecycle: Lifecycle): PortOperations => ({
  publish: ({ port, workspace }) =>
    Effect.flatMap(lifecycle.registry.find(workspace), (entry) =>
      Effect.gen(function*() {
        yield* runningGeneration(entry, "workspace.port.publish")
        const { ports } = yield* residentsOf(entry, "workspace.port.publish")
        const published = yield* ports.publish({ ...readPort(port)!, workspace })
        yield* touch(entry.folder)
        return published
      }).pipe(aloneFor(lifecycle, entry, "workspace.port.publish"))),
  list: ({ workspace }) =>
    Effect.flatMap(
      lifecycle.registry.find(workspace),
      (entry) => Effect.map(residentsOf(entry, "workspace.port.list"), ({ ports }) => ({ ports: ports.list() }))
    ),
  unpublish: ({ guestPort, workspace }) =>
    Effect.flatMap(lifecycle.registry.find(workspace), (entry) =>
      Effect.flatMap(
        residentsOf(entry, "workspace.port.unpublish"),
        ({ ports }) => ports.unpublish(guestPort, workspace)
      ).pipe(aloneFor(lifecycle, entry, "workspace.port.unpublish")))
})
