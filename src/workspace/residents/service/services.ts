import { Deferred, Effect } from "effect"
import {
  InvalidRequest,
  type NoSpace,
  type PortAlreadyPublished,
  type PortInUse,
  type PortUnavailable,
  type PublishingNotAllowed,
  type ServiceFailed,
  ServiceNotFound,
  type StateDirectoryUnusable
} from "../../../contract/errors/errors.ts"
import { call, words } from "../../../contract/errors/next-step.ts"
import type { ServiceInfo } from "../../../contract/rows/service-fields.ts"
import { named } from "../../../contract/text/names.ts"
import { similarTo } from "../../../contract/text/similar.ts"
import { redactValue } from "../../../lib/redaction/redact.ts"
import { secretIn } from "../../../lib/redaction/redact.ts"
import type { SecretSet } from "../../../lib/redaction/secrets.ts"
import { nowMs } from "../../../system/waits/time.ts"
import { EventLog, type NewEvent } from "../../entry/events.ts"
import { encodeState, type ResidentStates, type ResidentVm } from "../../entry/resident.ts"
import type { Commands } from "../exec/command-registry.ts"
import type { CommandFailure } from "../exec/running.ts"
import type { Ports } from "../port/ports.ts"
import {
  closedRun,
  comesBack,
  readServices,
  serviceInfo,
  serviceKind,
  type ServiceRecord,
  withoutWait,
  writeServices
} from "./state.ts"

/** Why a service does not run: its command has no end, or its start or its readiness failed. */
export type ServiceTrouble =
  | CommandFailure
  | PortAlreadyPublished
  | PortInUse
  | PortUnavailable
  | PublishingNotAllowed
  | ServiceFailed

/** A service that this process supervises: it runs, or is about to run. */
export interface Live {
  readonly name: string
  /** Ends when the service is ready, and fails when its start failed. A service without a check is ready once it runs. */
  readonly settled: Deferred.Deferred<void, ServiceTrouble>
  /** Ends when a request asks for the end of the service. */
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
  /** Whether the services are paused with their workspace. */
  isPaused: boolean
  readonly get: (name: string) => ServiceRecord | undefined
  readonly all: () => ReadonlyArray<ServiceRecord>
  /** The services for a point, which a rewind starts again if they run now. */
  readonly declared: () => ResidentStates
  readonly put: (service: ServiceRecord) => Effect.Effect<void, NoSpace | StateDirectoryUnusable>
  /** Changes an existing service. On a full disk, the change holds in this process only, so that the service continues. */
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

/** The record of a service for a fresh VM: one that runs is due. */
const toStart = (commands: Commands, service: ServiceRecord): ServiceRecord => {
  const { readyMs: _, wasReady: _was, ...one } = withoutWait(closedRun({ commands }, service))
  return service.end !== undefined || service.wanted === "stopped" ? service : { ...one, due: true }
}

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
      isPaused: false,
      get: (name) => services.get(name),
      all,
      declared: () => named([[serviceKind.key, encodeState(serviceKind, all().map((one) => toStart(commands, one)))]]),
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

/** One service, for a response. */
export const serviceStatus = (
  services: Services,
  name: string,
  workspace: string
): Effect.Effect<ServiceInfo, ServiceNotFound> =>
  Effect.zipWith(
    demandService(services, name, workspace),
    nowMs,
    (service, now) => serviceInfo(services, service, now)
  )

/** All services, for a response. */
export const listServices = (services: Services): Effect.Effect<ReadonlyArray<ServiceInfo>> =>
  Effect.map(nowMs, (now) => services.all().map((service) => serviceInfo(services, service, now)))

const heldBy = (service: string, secret: string) =>
  new InvalidRequest({
    field: "secrets",
    detail:
      `the service ${service} has the value of ${secret} in its command, variables or check, and pyro stores them while the service ` +
      "runs or is to come back",
    next: [
      call("Stop the service first", "workspace.service.stop", { name: service }),
      words("Then add the secret"),
      call(
        "And start the service with it",
        "workspace.service.start",
        { name: service, secret_env: [secret] },
        "command"
      )
    ]
  })

/**
 * Removes the values of new secrets from the records of services that have ended for good. Fails if a service that pyro may start again
 * has such a value, because its record needs the value.
 */
export const redactStoredServices = (
  services: Services,
  set: SecretSet | undefined
): Effect.Effect<void, InvalidRequest | NoSpace | StateDirectoryUnusable> =>
  Effect.gen(function*() {
    if (set === undefined) return
    const all = services.all()
    for (const one of all) {
      const secret = secretIn(set, one.options)
      if (secret !== undefined && (one.end === undefined || comesBack(one))) return yield* heldBy(one.name, secret)
    }
    for (const { end, options, ...one } of all) {
      if (end === undefined || secretIn(set, { end, options }) === undefined) continue
      yield* services.put({ ...one, ...redactValue([set], { end, options }) })
    }
  })
