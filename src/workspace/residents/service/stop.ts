import { Deferred, Effect } from "effect"
import type { ServiceNotFound } from "../../../contract/errors/errors.ts"
import type { ServiceInfo } from "../../../contract/rows/service-fields.ts"
import { DEFAULT_STOP_SECONDS } from "../../../contract/rows/service-fields.ts"
import type { ServiceStopPayload } from "../../../contract/rows/workspace-service.ts"
import { faultPoint } from "../../../system/waits/fault.ts"
import { within } from "../../../system/waits/within.ts"
import { demandService, infoOf, type Live, type Services } from "./services.ts"
import { comesBack } from "./state.ts"

/** Maximum wait for the end of a killed service, in ms. */
const KILLED_MS = 8_000

/** Asks for the end of a service. A second request kills it at once. */
const beginStop = (services: Services, live: Live, graceMs: number) =>
  Effect.gen(function*() {
    const { name } = live
    yield* services.change(name, (one) => ({ ...one, wanted: "stopped" }))
    faultPoint("service-stop:asked")
    const command = services.commands.running.get(services.get(name)?.runs.at(-1)?.execId ?? "")
    if (command !== undefined) yield* command.stop(command.isEnding ? 0 : graceMs)
    // The supervisor ends a run that was not known yet.
    yield* Deferred.succeed(live.stopping, undefined)
  })

/**
 * Ends a service: SIGTERM to its group, and after the grace SIGKILL to all its processes. Waits for the end. A service that
 * has ended stays as it is, and does not come back with its workspace.
 */
export const stopService = (
  services: Services,
  { graceSeconds = DEFAULT_STOP_SECONDS, name, workspace }: ServiceStopPayload
): Effect.Effect<ServiceInfo, ServiceNotFound> =>
  Effect.gen(function*() {
    yield* demandService(services, name, workspace)
    const live = services.live.get(name)
    if (live !== undefined) {
      // A caller that leaves takes nothing back.
      yield* Effect.uninterruptible(beginStop(services, live, graceSeconds * 1000))
      yield* within(graceSeconds * 1000 + KILLED_MS, Deferred.await(live.over))
    } else yield* services.change(name, (one) => comesBack(one) ? { ...one, wanted: "stopped" } : one)
    return yield* infoOf(services, name, workspace)
  })
