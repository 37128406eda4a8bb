import { Deferred, Effect, Exit } from "effect"
import { type PyroError, ServiceFailed, type ServiceNotFound } from "../../../contract/errors/errors.ts"
import { DEFAULT_STOP_SECONDS, type ServiceInfo } from "../../../contract/rows/service-fields.ts"
import type { ServiceStopPayload } from "../../../contract/rows/workspace-service.ts"
import { withTimeout } from "../../../system/waits/effects.ts"
import { faultPoint } from "../../../system/waits/fault.ts"
import { nowIso } from "../../../system/waits/time.ts"
import { demandService, type Live, type Services, serviceStatus, type ServiceTrouble } from "./services.ts"
import { closedRun, comesBack, type ServiceEnd, type ServiceRecord, withoutWait } from "./state.ts"

/** The end of a run as a sentence. */
export const endText = ({ outcome, status }: Pick<ServiceEnd, "outcome" | "status">): string => {
  switch (outcome) {
    case "exited":
      return `it ended with status ${status ?? 0}`
    case "signaled":
      return `signal ${(status ?? 128) - 128} ended it`
    case "out_of_memory":
      return "the guest ran out of memory and killed it"
    case "timed_out":
    case "not_ready":
      return "it was not ready in time"
    case "not_started":
      return "it was not started"
    case "lost":
      return "its microVM ended"
  }
}

/** Maximum number of characters of a reason. An error may contain the end of a console. */
const MAX_DETAIL = 2_000

/** Whether a failure means that the command never ran. */
export const neverStarted = ({ _tag }: PyroError) =>
  _tag === "InvalidRequest" || _tag === "NoSpace" || /^(Command|Port|Publishing)/.test(_tag)

export const notInMemory = (service: string, workspace: string) =>
  new ServiceFailed({
    workspace,
    service,
    detail: "its processes are not in the memory that this microVM began with",
    outputTail: ""
  })

/** Writes the end of a service to its record, and records the event. */
export const settleRecord = (services: Services, name: string, end: Omit<ServiceEnd, "at">) =>
  Effect.gen(function*() {
    const at = yield* nowIso
    yield* services.change(name, (service) => {
      const { due: _, ...one } = withoutWait(service)
      return { ...closedRun(services, one), end: { ...end, at: service.endedAt ?? at } }
    })
    yield* Effect.ignoreCause(services.ports.unpublishService(name))
    const isStopped = services.get(name)?.wanted === "stopped"
    yield* services.record(isStopped ? { _tag: "service_stopped", name } : { _tag: "service_exited", name, ...end })
  })

/** Ends the record of a service whose run could not be started, or whose VM is gone. */
export const settleLost = (services: Services, name: string, failure: ServiceTrouble) =>
  Effect.gen(function*() {
    // A request stopped the workspace, so no service has failed.
    const isStop = failure._tag === "VmFailed" && failure.step === "stop"
    const stopped = (one: ServiceRecord): ServiceRecord => ({ ...one, wanted: "stopped" })
    if (isStop) yield* services.change(name, (one) => one.options.restart === "always" ? one : stopped(one))
    const detail = isStop
      ? "the workspace was stopped"
      : failure._tag === "ServiceFailed"
      ? failure.detail
      : failure.fact
    const outcome = neverStarted(failure) ? "not_started" : "lost"
    yield* settleRecord(services, name, { outcome, detail: detail.slice(0, MAX_DETAIL) })
  })

/** Ends a live service whose run could not be started, or whose VM is gone. */
export const giveUp = (services: Services, live: Live, failure: ServiceTrouble) =>
  Effect.gen(function*() {
    services.live.delete(live.name)
    yield* settleLost(services, live.name, failure)
    yield* Deferred.done(live.settled, Exit.fail(failure))
    yield* Deferred.succeed(live.over, undefined)
  })

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
    // The supervisor ends a run that has no command yet.
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
      // The stop continues if the caller leaves.
      yield* Effect.uninterruptible(beginStop(services, live, graceSeconds * 1000))
      yield* withTimeout(graceSeconds * 1000 + KILLED_MS, Deferred.await(live.over))
    } else yield* services.change(name, (one) => comesBack(one) ? { ...one, wanted: "stopped" } : one)
    return yield* serviceStatus(services, name, workspace)
  })
