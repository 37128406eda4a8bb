import { Effect, Ref } from "effect"
import { takenOutOr } from "../life/running.ts"
import { stopService } from "../residents/service/ending.ts"
import { serviceLogs } from "../residents/service/logs.ts"
import { demandService, infoOf, listServices } from "../residents/service/services.ts"
import { startService } from "../residents/service/start.ts"
import type { Works } from "./work.ts"

/** The work of the operations on services. */
export const serviceWorks = {
  "workspace.service.start": ({ entry, generation, services }, payload) =>
    Effect.flatMap(
      Ref.get(entry.record),
      ({ workspaceUser }) => startService(services, generation, payload, workspaceUser)
    ).pipe(
      Effect.catch((failure) => takenOutOr(entry, generation, failure))
    ),
  "workspace.service.list": ({ services }) => Effect.map(listServices(services), (services) => ({ services })),
  "workspace.service.status": ({ services }, { name, workspace }) => infoOf(services, name, workspace),
  "workspace.service.logs": ({ services }, payload) =>
    Effect.andThen(demandService(services, payload.name, payload.workspace), serviceLogs(services, payload)),
  "workspace.service.stop": ({ services }, payload) => stopService(services, payload)
} satisfies Partial<Works>
