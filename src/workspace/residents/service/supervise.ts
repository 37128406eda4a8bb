import { Deferred, Effect } from "effect"
import * as path from "node:path"
import { ServiceFailed, VmFailed } from "../../../contract/errors/errors.ts"
import { monotonicMs, nowMs } from "../../../system/waits/time.ts"
import type { ResidentVm } from "../../entry/resident.ts"
import { endText, giveUp, settleRecord } from "./ending.ts"
import { tailOf } from "./logs.ts"
import { followRun, launch } from "./run.ts"
import type { Live, Services } from "./services.ts"
import { closedRun, type ServiceEnd, withoutWait } from "./state.ts"

/** Delay before the first restart, in ms. It doubles with each failure in a row. */
const FIRST_DELAY_MS = 500
const MAX_DELAY_MS = 30_000
/** Failures in a row after which pyro gives up. */
const MAX_FAILURES = 10
/** Length of a run, in ms, after which the count of failures in a row begins again. */
const STEADY_MS = 60_000

/** Supervises one service, from its start or its adoption by this process, to its end. */
export const supervise = (
  services: Services,
  vm: ResidentVm,
  live: Live,
  first: "launch" | "watch"
): Effect.Effect<void> => {
  const { change, record } = services
  const { name } = live
  const workspace = path.basename(services.folder)
  const service = () => services.get(name)!
  /** False after another VM, another start or a reset has replaced this service. */
  const isCurrent = () => services.live.get(name) === live

  /** Whether the service runs again after this end. */
  const again = (end: Omit<ServiceEnd, "at">, failures: number) => {
    const { options, wanted, wasReady } = service()
    const isClean = end.outcome === "exited" && end.status === 0
    return wanted === "running" && wasReady === true && failures < MAX_FAILURES &&
      (options.restart === "always" || (options.restart === "on-failure" && !isClean))
  }

  const finish = (end: Omit<ServiceEnd, "at">, failures: number) =>
    Effect.gen(function*() {
      const { options, wanted, wasReady } = service()
      const isClean = end.outcome === "exited" && end.status === 0
      const reason = end.detail ?? (wanted === "stopped" || isClean ? undefined : endText(end))
      const detail = failures >= MAX_FAILURES && options.restart !== "never" && wanted === "running"
        ? `${reason ?? endText(end)}; pyro gave up after ${MAX_FAILURES} failures in a row`
        : reason
      yield* settleRecord(services, name, { ...end, ...(detail === undefined ? {} : { detail }) })
      const isSettled = yield* Deferred.isDone(live.settled)
      if (!isSettled) {
        const what = wanted === "stopped" ? "it was stopped" : end.detail ?? `${endText(end)} before it was ready`
        const hint = isClean && wasReady !== true ? ". A service must stay in the foreground" : ""
        yield* Deferred.fail(
          live.settled,
          new ServiceFailed({
            workspace,
            service: name,
            detail: `${what}${hint}`,
            outputTail: tailOf(services, service()),
            ...(end.outcome === "not_ready" ? { readyTimeoutSeconds: options.readyTimeoutSeconds } : {})
          })
        )
      }
    })

  const loop = (
    failures: number,
    isLaunch: boolean
  ): Effect.Effect<void, Effect.Error<ReturnType<typeof launch | typeof followRun>>> =>
    Effect.gen(function*() {
      if (isLaunch) {
        yield* launch(services, vm, name)
        yield* record({ _tag: "service_started", name, restarts: service().restarts })
      } else {
        yield* change(name, (service) => {
          const { due: _, ...rest } = withoutWait(service)
          return rest
        })
      }
      const begin = yield* monotonicMs
      const end = yield* followRun(services, vm, live)
      if (!isCurrent()) return
      const lasted = (yield* monotonicMs) - begin
      const inRow = lasted >= STEADY_MS ? 1 : failures + 1
      if (!again(end, inRow)) return yield* finish(end, inRow)
      const delayMs = Math.min(MAX_DELAY_MS, FIRST_DELAY_MS * 2 ** (inRow - 1))
      yield* record({ _tag: "service_exited", name, ...end })
      const endedMs = yield* nowMs
      yield* change(name, (one) => ({
        ...closedRun(services, one),
        due: true,
        dueBecause: endText(end),
        dueAt: new Date(endedMs + delayMs).toISOString(),
        endedAt: new Date(endedMs).toISOString()
      }))
      yield* Effect.raceFirst(Effect.sleep(delayMs), Deferred.await(live.stopping))
      if (!isCurrent()) return
      return service().wanted === "stopped" ? yield* finish(end, inRow) : yield* loop(inRow, true)
    })

  return loop(0, first === "launch").pipe(
    Effect.catch((failure) => isCurrent() ? giveUp(services, live, failure) : Effect.void),
    Effect.catchDefect((defect) =>
      Effect.andThen(Effect.logError(`service ${name} cannot be supervised`, defect), Effect.void)
    ),
    Effect.ensuring(
      Effect.suspend(() => {
        if (isCurrent()) services.live.delete(name)
        // After an interruption, because this process leaves the VM.
        Deferred.doneUnsafe(
          live.settled,
          new VmFailed({ step: "service", detail: "the microVM was left", consoleTail: "" })
        )
        return Deferred.succeed(live.over, undefined)
      })
    )
  )
}
