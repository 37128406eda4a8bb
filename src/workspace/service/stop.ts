import { Deferred, Effect } from "effect"
import type { ServiceNotFound } from "../../contract/errors.ts"
import type { ServiceInfo } from "../../contract/operations/service-fields.ts"
import { DEFAULT_STOP_SECONDS } from "../../contract/operations/service-fields.ts"
import type { ServiceStopPayload } from "../../contract/operations/workspace-service.ts"
import { faultPoint } from "../../system/fault.ts"
import { within } from "../../system/within.ts"
import { endRunning } from "../exec/cancel.ts"
import { demandService, infoOf, type Services } from "./services.ts"

/** Maximum wait for the end of a killed service, in ms. */
const KILLED_MS = 8_000

/**
 * Ends a service: SIGTERM to its group, and after the grace SIGKILL to all its processes. Waits for the end. A service that has ended
 * stays as it is.
 */
export const stopService = (
  services: Services,
  { graceSeconds = DEFAULT_STOP_SECONDS, name, workspace }: ServiceStopPayload
): Effect.Effect<ServiceInfo, ServiceNotFound> =>
  Effect.gen(function*() {
    yield* demandService(services, name, workspace)
    const live = services.live.get(name)
    if (live !== undefined) {
      yield* services.change(name, (one) => ({ ...one, wanted: "stopped" }))
      faultPoint("service-stop:asked")
      const command = services.commands.running.get(services.get(name)?.runs.at(-1)?.execId ?? "")
      if (command !== undefined) yield* endRunning(command, graceSeconds * 1000)
      yield* Deferred.succeed(live.stopping, undefined)
      yield* within(graceSeconds * 1000 + KILLED_MS, Deferred.await(live.over))
    }
    return yield* infoOf(services, name, workspace)
  })
