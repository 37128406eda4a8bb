import { Deferred, Effect, Struct } from "effect"
import { InvalidRequest, ServiceRunning, VmFailed } from "../../../contract/errors/errors.ts"
import { words } from "../../../contract/errors/next-step.ts"
import { requireCommand } from "../../../contract/rows/exec-validation.ts"
import { withFields } from "../../../contract/rows/next-steps.ts"
import { DEFAULT_READY_SECONDS } from "../../../contract/rows/service-fields.ts"
import { readPort } from "../../../contract/rows/workspace-port.ts"
import type { ServiceStartPayload } from "../../../contract/rows/workspace-service.ts"
import { callerCeiling } from "../../../contract/wire/caller-project.ts"
import type { ImageProgram } from "../../../lib/environment/model/image-config.ts"
import { demandPlain } from "../../../lib/redaction/redact.ts"
import { nowIso } from "../../../system/waits/time.ts"
import type { ResidentVm } from "../../entry/resident.ts"
import { neverStarted, stopService } from "./ending.ts"
import { type OfImage, serviceOfImage } from "./image-program.ts"
import { isListening } from "./readiness.ts"
import { type Live, makeLive, type Services, serviceStatus } from "./services.ts"
import { type Check, logEnd, type ServiceOptions, type ServiceRecord, stateOf } from "./state.ts"
import { supervise } from "./supervise.ts"

/** Maximum number of services of a workspace, ended ones included. */
const MAX_SERVICES = 200

const checkOf = (
  { readyCommand, readyFile, readyHttp, readyTcp }: ServiceStartPayload
): Effect.Effect<Check | undefined, InvalidRequest> => {
  const checks: ReadonlyArray<Check> = [
    ...(readyTcp === undefined ? [] : [{ _tag: "tcp", port: readyTcp } as const]),
    ...(readyHttp === undefined ? [] : [{ _tag: "http", url: readyHttp } as const]),
    ...(readyFile === undefined ? [] : [{ _tag: "file", path: readyFile } as const]),
    ...(readyCommand === undefined ? [] : [{ _tag: "command", script: readyCommand } as const])
  ]
  return checks.length > 1
    ? new InvalidRequest({
      field: `ready_${checks[1]!._tag}`,
      detail: `cannot be combined with ready_${checks[0]!._tag}: a service has one check`
    })
    : Effect.succeed(checks[0])
}

const portOf = (check: Check | undefined): number | undefined =>
  check?._tag === "tcp" ? check.port : check?._tag === "http" ? Number(new URL(check.url).port || 80) : undefined

/** Fails if a program of the guest listens on the checked port already: the service would look ready. */
const demandFreePort = ({ channel }: ResidentVm, check: Check | undefined) =>
  Effect.gen(function*() {
    const port = portOf(check)
    if (check === undefined || port === undefined || !(yield* isListening(channel, port))) return
    return yield* new InvalidRequest({
      field: `ready_${check._tag}`,
      detail: `a program of the guest listens on port ${port} already. Choose another port, or stop that program first`
    })
  })

const optionsOf = (
  payload: ServiceStartPayload,
  { readyIntervalMs, readyTimeoutSeconds, stopSignal }: Partial<OfImage>,
  user: string,
  check: Check | undefined,
  byModel: boolean
): ServiceOptions => ({
  command: payload.command,
  ...(payload.script === undefined ? {} : { script: payload.script }),
  env: payload.env,
  ...(payload.cwd === undefined ? {} : { cwd: payload.cwd }),
  user: payload.user ?? user,
  ...(payload.secretEnv === undefined ? {} : { secretEnv: payload.secretEnv }),
  ...(payload.secretMount === undefined ? {} : { secretMount: payload.secretMount }),
  ...(check === undefined ? {} : { check }),
  ...(payload.publish === undefined ? {} : { publish: payload.publish.map((port) => readPort(port)!) }),
  readyTimeoutSeconds: payload.readyTimeoutSeconds ?? readyTimeoutSeconds ?? DEFAULT_READY_SECONDS,
  restart: payload.restart,
  ...(stopSignal === undefined ? {} : { stopSignal }),
  ...((payload.readyIntervalMs ?? readyIntervalMs) === undefined
    ? {}
    : { readyIntervalMs: payload.readyIntervalMs ?? readyIntervalMs }),
  ...(byModel ? { byModel } : {})
})

interface Started {
  /** The user, if the request names none. */
  readonly user: string
  /** The program, if the request names none. */
  readonly image: ImageProgram | undefined
}

/** The options and the check of a request. Fails if it has no program, has a secret in a text that is stored, or has two checks. */
const judged = (services: Services, asked: ServiceStartPayload, { image, user }: Started) =>
  Effect.gen(function*() {
    const isOfImage = asked.command.length === 0 && asked.script === undefined && image !== undefined
    const { check: imageCheck, command: own = asked.command, ...ofImage }: Partial<OfImage> = isOfImage
      ? serviceOfImage(image)
      : {}
    const payload = { ...asked, command: own }
    yield* requireCommand({ ...payload, tty: false })
    const { command, cwd, env, name, readyCommand, readyFile, readyHttp, script } = payload
    yield* demandPlain(services.commands.secrets.set, {
      name,
      command,
      script,
      env,
      cwd,
      ready_http: readyHttp,
      ready_file: readyFile,
      ready_command: readyCommand
    })
    const check = (yield* checkOf(payload)) ?? imageCheck
    const byModel = (yield* callerCeiling) !== undefined
    // A check of the request has no times of the image's.
    const times = check === imageCheck ? ofImage : Struct.pick(ofImage, ["stopSignal"])
    return { check, options: optionsOf(payload, times, user, check, byModel) }
  })

/** Runs a recorded service until it is ready. A service that never started leaves the record as it was `before`. */
const launch = (
  services: Services,
  vm: ResidentVm,
  live: Live,
  { before, workspace }: { readonly before: ServiceRecord | undefined; readonly workspace: string }
) => {
  const { name } = live
  const ready = Effect.gen(function*() {
    yield* Effect.forkIn(supervise(services, vm, live, "launch"), vm.scope)
    yield* Effect.interruptible(Deferred.await(live.settled)).pipe(
      Effect.onInterrupt(() => Effect.ignore(stopService(services, { name, workspace })))
    )
  })
  return Effect.uninterruptible(ready).pipe(
    Effect.tapError((failure) =>
      !neverStarted(failure)
        ? Effect.void
        : before === undefined
        ? services.remove(name)
        : Effect.ignore(services.put(before))
    ),
    // The workspace as the caller named it.
    Effect.mapError((failure) => failure._tag === "ServiceFailed" ? withFields(failure, { workspace }) : failure)
  )
}

/**
 * Starts a service, and waits until it is ready. Fails if the service ends or is late. No process of it is left then. An interruption
 * stops the service.
 */
export const startService = (
  services: Services,
  vm: ResidentVm,
  asked: ServiceStartPayload,
  given: Started
) =>
  Effect.gen(function*() {
    const { name, workspace } = asked
    const { check, options } = yield* judged(services, asked, given)
    const demandEnded = Effect.suspend(() => {
      const now = services.get(name)
      return now !== undefined && services.live.has(name)
        ? new ServiceRunning({ workspace, service: name, state: stateOf(now) })
        : Effect.succeed(now)
    })
    const there = yield* demandEnded
    if (there === undefined && services.all().length >= MAX_SERVICES) {
      return yield* new InvalidRequest({
        field: "name",
        detail: `the workspace has ${MAX_SERVICES} services`,
        next: [words("Start one of the ended ones again")]
      })
    }
    yield* demandFreePort(vm, check)
    const startedAt = yield* nowIso
    const before = yield* demandEnded
    if (services.vm?.scope !== vm.scope) {
      return yield* new VmFailed({ step: "service", detail: "another microVM took its place", consoleTail: "" })
    }
    const live = makeLive(name)
    // No other fiber runs between `demandEnded` and this.
    services.live.set(name, live)
    const service: ServiceRecord = {
      name,
      options,
      wanted: "running",
      runs: [],
      // Cursors of former starts stay valid.
      outputBefore: before === undefined ? 0 : logEnd(services.commands, before),
      due: true,
      startedAt,
      restarts: 0
    }
    yield* Effect.onError(services.put(service), () => Effect.sync(() => services.live.delete(name)))
    yield* launch(services, vm, live, { before, workspace })
    return yield* serviceStatus(services, name, workspace)
  })
