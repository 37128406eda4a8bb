import { Effect, Ref } from "effect"
import type { WorkspaceOperation } from "../../contract/operation-states.ts"
import type {
  ServiceLogsPayload,
  ServicePayload,
  ServiceStartPayload,
  ServiceStopPayload
} from "../../contract/operations/workspace-service.ts"
import { touch } from "../entry/record.ts"
import type { Registry } from "../entry/registry.ts"
import { runningGeneration, takenOutOr } from "../life/running.ts"
import { residentsOf } from "../residents/entry-residents.ts"
import { serviceLogs } from "../residents/service/logs.ts"
import { demandService, infoOf, listServices } from "../residents/service/services.ts"
import { startService } from "../residents/service/start.ts"
import { stopService } from "../residents/service/stop.ts"

/** The operations on services of workspaces. */
export const makeServiceOperations = ({ find }: Pick<Registry, "find">) => {
  const servicesOf = (workspace: string, operation: WorkspaceOperation) =>
    Effect.flatMap(find(workspace), (entry) => Effect.map(residentsOf(entry, operation), ({ services }) => services))
  return {
    start: (payload: ServiceStartPayload) =>
      Effect.gen(function*() {
        const entry = yield* find(payload.workspace)
        const generation = yield* runningGeneration(entry, "workspace.service.start")
        const { services } = yield* residentsOf(entry, "workspace.service.start")
        const { workspaceUser } = yield* Ref.get(entry.record)
        yield* touch(entry.folder)
        return yield* startService(services, generation, payload, workspaceUser).pipe(
          Effect.catchAll((failure) => takenOutOr(entry, generation, failure))
        )
      }),
    list: ({ workspace }: { readonly workspace: string }) =>
      Effect.flatMap(servicesOf(workspace, "workspace.service.list"), listServices),
    status: ({ name, workspace }: ServicePayload) =>
      Effect.flatMap(
        servicesOf(workspace, "workspace.service.status"),
        (services) => infoOf(services, name, workspace)
      ),
    logs: (payload: ServiceLogsPayload) =>
      Effect.gen(function*() {
        const services = yield* servicesOf(payload.workspace, "workspace.service.logs")
        yield* demandService(services, payload.name, payload.workspace)
        return yield* serviceLogs(services, payload)
      }),
    stop: (payload: ServiceStopPayload) =>
      Effect.flatMap(
        servicesOf(payload.workspace, "workspace.service.stop"),
        (services) => stopService(services, payload)
      )
  } as const
}

export type ServiceOperations = ReturnType<typeof makeServiceOperations>
