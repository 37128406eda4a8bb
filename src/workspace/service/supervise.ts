import { Deferred, Effect, Exit, Fiber, Option } from "effect"
import * as path from "node:path"
import { factOf, type PyroError, ServiceFailed, VmFailed } from "../../contract/errors.ts"
import { DEFAULT_STOP_SECONDS } from "../../contract/operations/service-fields.ts"
import type { ExecPayload } from "../../contract/operations/workspace-exec.ts"
import { faultPoint } from "../../system/fault.ts"
import { newRequestId } from "../../system/identity.ts"
import { monotonicMs, nowIso, nowMs } from "../../system/time.ts"
import { spawnRequest } from "../command.ts"
import { endRunning } from "../exec/cancel.ts"
import type { CommandEnd } from "../exec/journal.ts"
import type { ResidentVm } from "../residents/Resident.ts"
import { runsOf } from "./describe.ts"
import { tailOf } from "./logs.ts"
import { untilReady } from "./readiness.ts"
import type { Live, Services } from "./services.ts"
import type { ServiceEnd, ServiceOptions, ServiceRecord } from "./state.ts"

/** Delay before the first restart, in ms. It doubles with each failure in a row. */
const FIRST_DELAY_MS = 500
const MAX_DELAY_MS = 30_000
/** Failures in a row after which pyro gives up. */
const MAX_FAILURES = 10
/** A run of this length, in ms, begins a new row. */
const STEADY_MS = 60_000
/** Runs whose logs a service keeps. */
const KEPT_RUNS = 20

const seconds = (ms: number) => `${ms < 10_000 ? ms / 1000 : Math.round(ms / 1000)} s`

/** How a run ended, in words. */
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

/** The command of a run. */
const payloadOf = (
  { command, cwd, env, script, secretEnv, secretMount, user }: ServiceOptions,
  execId: string,
  workspace: string
): ExecPayload & { readonly execId: string } => ({
  workspace,
  execId,
  command,
  ...(script === undefined ? {} : { script }),
  env,
  cwd,
  user,
  ...(secretEnv === undefined ? {} : { secretEnv }),
  ...(secretMount === undefined ? {} : { secretMount }),
  detach: true,
  tty: false,
  rows: 24,
  cols: 80,
  graceSeconds: DEFAULT_STOP_SECONDS,
  maxBytes: 0
})

/** One service from its start, or from its adoption by this process, to its end. */
export const supervise = (
  services: Services,
  vm: ResidentVm,
  live: Live,
  first: "launch" | "watch"
): Effect.Effect<void> => {
  const { change, commands, record } = services
  const { name } = live
  const workspace = path.basename(services.folder)
  const service = () => services.get(name)!
  /** Another VM, another start or a reset has taken the name over. */
  const isCurrent = () => services.live.get(name) === live

  /** Makes the next run known on disk, and then starts it. */
  const launch = Effect.gen(function*() {
    const execId = newRequestId()
    const startedAt = yield* nowIso
    yield* change(name, ({ dueBecause: _, readyMs: _ready, runs, ...rest }) => {
      const dropped = Math.max(0, runs.length + 1 - KEPT_RUNS)
      const gone = runs.slice(0, dropped).reduce((sum, { outputBytes = 0 }) => sum + outputBytes, 0)
      return {
        ...rest,
        due: true,
        startedAt,
        outputBefore: rest.outputBefore + gone,
        runs: [...runs.slice(dropped), { execId }]
      }
    })
    faultPoint("service:recorded")
    // Before the program: a port in use is refused while nothing runs.
    const { publish = [] } = service().options
    yield* Effect.forEach(publish, (port) => services.ports.publish({ ...port, service: name }), { discard: true })
    const { memoryMib } = vm.guest.vm.spec
    const payload = payloadOf(service().options, execId, workspace)
    yield* commands.start({ channel: vm.channel, scope: vm.scope, memoryMib }, payload, {}, { _tag: "service", name })
    faultPoint("service:journaled")
    const command = commands.running.get(execId)
    if (command !== undefined) yield* Deferred.await(command.started)
    yield* change(name, ({ due: _, ...rest }) => rest)
    faultPoint("service:started")
  })

  const runId = () => service().runs.at(-1)?.execId ?? ""

  /** The end of the present run. */
  const ended: Effect.Effect<CommandEnd, PyroError> = Effect.suspend(() => {
    const command = commands.running.get(runId())
    const end = commands.journal.get(runId())?.end
    return command !== undefined
      ? Deferred.await(command.end)
      : end !== undefined
      ? Effect.succeed(end)
      : notInMemory(name, workspace)
  })

  const endRun = Effect.suspend(() => {
    const command = commands.running.get(runId())
    // A stop may have begun to end the command, with a grace of its own.
    return command === undefined || command.isEnding ? Effect.void : endRunning(command)
  })

  const becomesReady = Effect.gen(function*() {
    const { options, readyMs, startedAt } = service()
    const { check, cwd, env, user } = options
    if (check === undefined || readyMs !== undefined) {
      yield* change(name, (one) => ({ ...one, wasReady: true }))
      return yield* Deferred.succeed(live.settled, undefined)
    }
    const variables = yield* Effect.orElseSucceed(commands.secrets.variables(options.secretEnv), () => ({}))
    const request = { command: [], env: { ...env, ...variables }, cwd, user, tty: false, rows: 24, cols: 80 }
    yield* untilReady(vm.channel, check, (script) => spawnRequest({ ...request, script }, {}))
    if (!isCurrent()) return
    const took = Math.max(0, (yield* nowMs) - Date.parse(startedAt))
    yield* change(name, (one) => ({ ...one, readyMs: took, wasReady: true }))
    yield* record({ _tag: "service_ready", name, readyMs: took })
    yield* Deferred.succeed(live.settled, undefined)
  })

  /** Ends a run that is not ready in time. Gives the reason. */
  const late = Effect.gen(function*() {
    const { check, readyTimeoutSeconds } = service().options
    if (check === undefined) return yield* Effect.never
    yield* Effect.sleep(readyTimeoutSeconds * 1000)
    if (service().readyMs !== undefined) return yield* Effect.never
    return `it was not ready within ${readyTimeoutSeconds} s, and was stopped`
  })

  /** How the present run ended. Fails if the run is lost. */
  const oneRun: Effect.Effect<Omit<ServiceEnd, "at">, PyroError> = Effect.gen(function*() {
    const probing = yield* Effect.fork(becomesReady)
    const reason = yield* Effect.asSome(late).pipe(
      Effect.raceFirst(Effect.as(Effect.exit(ended), Option.none())),
      Effect.raceFirst(Effect.as(Deferred.await(live.stopping), Option.none())),
      Effect.ensuring(Fiber.interrupt(probing))
    )
    const isStopping = yield* Deferred.isDone(live.stopping)
    if (Option.isSome(reason) || isStopping) yield* endRun
    const { outcome, status } = yield* ended
    return {
      outcome: Option.isSome(reason) ? "not_ready" : outcome,
      ...(status === undefined ? {} : { status }),
      ...(Option.isSome(reason) ? { detail: reason.value } : {})
    }
  })

  /** Whether the service runs again after this end. */
  const again = (end: Omit<ServiceEnd, "at">, failures: number) => {
    const { options, wanted, wasReady } = service()
    return wanted === "running" && options.restart === "on-failure" && wasReady === true &&
      !(end.outcome === "exited" && end.status === 0) && failures < MAX_FAILURES
  }

  const finish = (end: Omit<ServiceEnd, "at">, failures: number) =>
    Effect.gen(function*() {
      const { options, wanted, wasReady } = service()
      const isClean = end.outcome === "exited" && end.status === 0
      const reason = end.detail ?? (wanted === "stopped" || isClean ? undefined : endText(end))
      const detail = failures >= MAX_FAILURES && options.restart === "on-failure" && wanted === "running"
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
            outputTail: tailOf(services, service())
          })
        )
      }
    })

  const loop = (failures: number, isLaunch: boolean): Effect.Effect<void, PyroError> =>
    Effect.gen(function*() {
      if (isLaunch) {
        yield* launch
        yield* record({ _tag: "service_started", name, restarts: service().restarts })
      } else yield* change(name, ({ due: _, dueBecause: _because, ...rest }) => rest)
      const begin = yield* monotonicMs
      const end = yield* oneRun
      if (!isCurrent()) return
      const lasted = (yield* monotonicMs) - begin
      const inRow = lasted >= STEADY_MS ? 1 : failures + 1
      if (!again(end, inRow)) return yield* finish(end, inRow)
      const delayMs = Math.min(MAX_DELAY_MS, FIRST_DELAY_MS * 2 ** (inRow - 1))
      yield* record({ _tag: "service_exited", name, ...end })
      yield* change(name, (one) => ({
        ...closedRun(services, one),
        due: true,
        dueBecause: `${endText(end)}, and starts again ${seconds(delayMs)} later`,
        restarts: one.restarts + 1
      }))
      yield* Effect.raceFirst(Effect.sleep(delayMs), Deferred.await(live.stopping))
      if (!isCurrent()) return
      return service().wanted === "stopped" ? yield* finish(end, inRow) : yield* loop(inRow, true)
    })

  return loop(0, first === "launch").pipe(
    Effect.catchAll((failure) => isCurrent() ? giveUp(services, live, failure) : Effect.void),
    Effect.catchAllDefect((defect) =>
      Effect.zipRight(Effect.logError(`service ${name} cannot be supervised`, defect), Effect.void)
    ),
    Effect.ensuring(
      Effect.suspend(() => {
        if (isCurrent()) services.live.delete(name)
        // An interruption: this VM is no longer this process's.
        Deferred.unsafeDone(
          live.settled,
          new VmFailed({ step: "service", detail: "the microVM was left", consoleTail: "" })
        )
        return Deferred.succeed(live.over, undefined)
      })
    )
  )
}

/** Characters of a reason: an error may have the end of a console. */
const MAX_DETAIL = 2_000

/** The command never ran. */
export const neverStarted = ({ _tag }: PyroError) =>
  _tag === "InvalidRequest" || _tag === "NoSpace" || /^(Command|Port|Publishing)/.test(_tag)

const notInMemory = (service: string, workspace: string) =>
  new ServiceFailed({
    workspace,
    service,
    detail: "its processes are not in the memory that this microVM began with",
    outputTail: ""
  })

/** The record with the length of its last run's output. */
const closedRun = ({ commands }: Services, one: ServiceRecord): ServiceRecord => {
  const last = runsOf(commands, one).at(-1)
  return last === undefined ? one : {
    ...one,
    runs: [...one.runs.slice(0, -1), { execId: last.execId, outputBytes: last.end - last.begin }]
  }
}

/** Writes down how a service ended, and records the event. */
export const settleRecord = (services: Services, name: string, end: Omit<ServiceEnd, "at">) =>
  Effect.gen(function*() {
    const at = yield* nowIso
    yield* services.change(name, ({ due: _, dueBecause: _because, ...one }) => ({
      ...closedRun(services, one),
      end: { ...end, at }
    }))
    yield* Effect.ignoreLogged(services.ports.unpublishService(name))
    const isStopped = services.get(name)?.wanted === "stopped"
    yield* services.record(isStopped ? { _tag: "service_stopped", name } : { _tag: "service_exited", name, ...end })
  })

/** Ends a service whose run could not be started, or whose VM is gone. */
export const giveUp = (services: Services, live: Live, failure: PyroError) =>
  Effect.gen(function*() {
    services.live.delete(live.name)
    const detail = failure._tag === "ServiceFailed" ? failure.detail : factOf(failure)
    const outcome = neverStarted(failure) ? "not_started" : "lost"
    yield* settleRecord(services, live.name, { outcome, detail: detail.slice(0, MAX_DETAIL) })
    yield* Deferred.done(live.settled, Exit.fail(failure))
    yield* Deferred.succeed(live.over, undefined)
  })
