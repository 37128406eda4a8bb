import { Deferred, Effect } from "effect"
import {
  type NoSpace,
  type PyroError,
  ServiceNotFound,
  type StateDirectoryUnusable
} from "../../../contract/errors/errors.ts"
import type { ServiceInfo } from "../../../contract/rows/service-fields.ts"
import { similarTo } from "../../../contract/text/similar.ts"
import { nowMs } from "../../../system/waits/time.ts"
import { EventLog, type NewEvent } from "../../entry/events.ts"
import type { ResidentVm } from "../../entry/resident.ts"
import type { Commands } from "../exec/commands.ts"
import type { Ports } from "../port/ports.ts"
import { serviceInfo } from "./describe.ts"
import { readServices, type ServiceRecord, writeServices } from "./state.ts"

/** A service that runs, or is about to run, in this process's care. */
export interface Live {
  readonly name: string
  /** Ends when the service is ready, and fails when its start failed. A service without a check is ready once it runs. */
  readonly settled: Deferred.Deferred<void, PyroError>
  /** Ends when somebody asks for the end of the service. */
  readonly stopping: Deferred.Deferred<void>
  /** Ends when the service has ended for good. */
  readonly over: Deferred.Deferred<void>
}

/** The services of one workspace. The file changes before the guest does. */
export interface Services {
  readonly commands: Commands
  readonly ports: Ports
  /** Folder of the workspace. */
  readonly folder: string
  readonly live: Map<string, Live>
  /** The VM of the present generation. */
  vm: ResidentVm | undefined
  readonly get: (name: string) => ServiceRecord | undefined
  readonly all: () => ReadonlyArray<ServiceRecord>
  readonly put: (service: ServiceRecord) => Effect.Effect<void, NoSpace | StateDirectoryUnusable>
  /** Changes a service that is there. A full disk keeps no service from going on: the change then holds in this process alone. */
  readonly change: (name: string, change: (service: ServiceRecord) => ServiceRecord) => Effect.Effect<void>
  readonly remove: (name: string) => Effect.Effect<void>
  readonly replaceAll: (
    services: ReadonlyArray<ServiceRecord>
  ) => Effect.Effect<void, NoSpace | StateDirectoryUnusable>
  readonly record: (event: NewEvent) => Effect.Effect<void>
}

export const makeLive = (name: string): Live => ({
  name,
  settled: Deferred.makeUnsafe(),
  stopping: Deferred.makeUnsafe(),
  over: Deferred.makeUnsafe()
})

/** Opens the services of the workspace in `folder`. Their supervision begins with a VM. */
export const openServices = (
  folder: string,
  commands: Commands,
  ports: Ports
): Effect.Effect<Services, NoSpace | StateDirectoryUnusable, EventLog> =>
  Effect.zipWith(readServices(folder), EventLog, (found, log) => {
    let services = new Map(found.map((one) => [one.name, one]))
    const write = Effect.suspend(() => writeServices(folder, [...services.values()]))
    const changed = (service: ServiceRecord) => Effect.sync(() => void services.set(service.name, service))
    const all = () => [...services.values()].sort((a, b) => a.name < b.name ? -1 : 1)
    return {
      commands,
      ports,
      folder,
      live: new Map(),
      vm: undefined,
      get: (name) => services.get(name),
      all,
      put: (service) =>
        Effect.suspend(() => {
          const before = services.get(service.name)
          return Effect.andThen(changed(service), write).pipe(
            Effect.onError(() =>
              Effect.sync(() => {
                if (before === undefined) services.delete(service.name)
                else services.set(service.name, before)
              })
            )
          )
        }),
      change: (name, change) =>
        Effect.suspend(() => {
          const service = services.get(name)
          if (service === undefined) return Effect.void
          return Effect.andThen(changed(change(service)), Effect.ignoreCause(write))
        }),
      remove: (name) =>
        Effect.suspend(() => {
          services.delete(name)
          return Effect.ignoreCause(write)
        }),
      replaceAll: (next) =>
        Effect.suspend(() => {
          services = new Map(next.map((one) => [one.name, one]))
          return write
        }),
      record: (event) => log.record(folder, event)
    }
  })

/** Fails if there is no service of that name. */
export const demandService = (services: Services, name: string, workspace: string) =>
  Effect.suspend(() => {
    const found = services.get(name)
    return found === undefined
      ? new ServiceNotFound({
        workspace,
        service: name,
        similar: similarTo(name, services.all().map((one) => one.name))
      })
      : Effect.succeed(found)
  })

/** A service for an answer. */
export const infoOf = (
  services: Services,
  name: string,
  workspace: string
): Effect.Effect<ServiceInfo, ServiceNotFound> =>
  Effect.zipWith(
    demandService(services, name, workspace),
    nowMs,
    (service, now) => serviceInfo(services, service, now)
  )

/** All services for an answer. */
export const listServices = (services: Services): Effect.Effect<ReadonlyArray<ServiceInfo>> =>
  Effect.map(nowMs, (now) => services.all().map((service) => serviceInfo(services, service, now)))
