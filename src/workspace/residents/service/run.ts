import { Deferred, Effect, Fiber, Option } from "effect"
import * as path from "node:path"
import { payloadOf } from "../../../contract/rows/payload-of.ts"
import { DEFAULT_STOP_SECONDS } from "../../../contract/rows/service-fields.ts"
import type { ExecPayload } from "../../../contract/rows/workspace-exec.ts"
import { printable } from "../../../contract/text/printable.ts"
import { newRequestId } from "../../../system/processes/identity.ts"
import { faultPoint } from "../../../system/waits/fault.ts"
import { nowIso, nowMs } from "../../../system/waits/time.ts"
import type { ResidentVm } from "../../entry/resident.ts"
import { endRunning } from "../exec/cancel.ts"
import type { CommandEnd } from "../exec/journal.ts"
import { directoryOf } from "../program/command-defaults.ts"
import { spawnRequest } from "../program/command.ts"
import { notInMemory } from "./ending.ts"
import { type LastTry, untilReady } from "./readiness.ts"
import type { Live, Services, ServiceTrouble } from "./services.ts"
import { type ServiceEnd, type ServiceOptions, withoutWait } from "./state.ts"

/** Maximum number of runs whose logs a service keeps. */
const KEPT_RUNS = 20

/** The command of a run. */
const execOf = (
  { command, cwd, env, script, secretEnv, secretMount, user }: ServiceOptions,
  execId: string,
  workspace: string
): ExecPayload & { readonly execId: string } => ({
  ...payloadOf("workspace.exec", {
    workspace,
    command,
    env,
    detach: true,
    graceSeconds: DEFAULT_STOP_SECONDS,
    maxBytes: 0
  }),
  execId,
  ...(script === undefined ? {} : { script }),
  ...(cwd === undefined ? {} : { cwd }),
  user,
  ...(secretEnv === undefined ? {} : { secretEnv }),
  ...(secretMount === undefined ? {} : { secretMount })
})

/** Records the next run of a service on disk, and then starts it. A new daemon starts a recorded run that the guest does not know. */
export const launch = (services: Services, vm: ResidentVm, name: string) =>
  Effect.gen(function*() {
    const { change, commands } = services
    const execId = newRequestId()
    const startedAt = yield* nowIso
    yield* change(name, (service) => {
      const { readyMs: _, runs, ...rest } = withoutWait(service)
      const dropped = Math.max(0, runs.length + 1 - KEPT_RUNS)
      const gone = runs.slice(0, dropped).reduce((sum, { outputBytes = 0 }) => sum + outputBytes, 0)
      return {
        ...rest,
        due: true,
        startedAt,
        outputBefore: rest.outputBefore + gone,
        restarts: rest.restarts + (service.dueBecause === undefined ? 0 : 1),
        runs: [...runs.slice(dropped), { execId }]
      }
    })
    faultPoint("service:recorded")
    // Ports come before the program, so that nothing runs if a port is in use.
    const { options, wasReady } = services.get(name)!
    const { byModel = false, publish = [] } = options
    yield* Effect.forEach(
      publish,
      (port) =>
        Effect.catchTag(
          services.ports.publish({ ...port, service: name, byModel }),
          "PublishingNotAllowed",
          // The policy has changed since the start: the service continues without the port.
          (failure) => wasReady === true ? Effect.void : Effect.fail(failure)
        ),
      { discard: true }
    )
    const { memoryMib } = vm.guest.vm.spec
    const payload = execOf(options, execId, path.basename(services.folder))
    yield* commands.start({ channel: vm.channel, scope: vm.scope, memoryMib }, payload, {}, {
      _tag: "service",
      name,
      ...(options.stopSignal === undefined ? {} : { stopSignal: options.stopSignal })
    })
    faultPoint("service:journaled")
    const command = commands.running.get(execId)
    if (command !== undefined) yield* Deferred.await(command.started)
    yield* change(name, ({ due: _, ...rest }) => rest)
    faultPoint("service:started")
  })

/** Follows the present run of a service to its end. Tries its check, and ends the run if it is late or a request stops it. */
export const followRun = (services: Services, vm: ResidentVm, live: Live) => {
  const { change, commands, record } = services
  const { name } = live
  const service = () => services.get(name)!

  /** Empty after a reset has removed the service: the supervisor of the former microVM may still be about to end. */
  const runId = () => services.get(name)?.runs.at(-1)?.execId ?? ""

  /** The end of the present run. */
  const ended = Effect.suspend((): Effect.Effect<CommandEnd, ServiceTrouble> => {
    const command = commands.running.get(runId())
    const end = commands.journal.get(runId())?.end
    return command !== undefined
      ? Deferred.await(command.end)
      : end !== undefined
      ? Effect.succeed(end)
      : notInMemory(name, path.basename(services.folder))
  })

  const endRun = Effect.suspend(() => {
    const command = commands.running.get(runId())
    // A stop may already be ending the command, with its own grace.
    return command === undefined || command.isEnding ? Effect.void : endRunning(command)
  })

  let lastTry: LastTry | undefined
  /** Output of the last try of the check, as a sentence of the reason. */
  const lastTryText = () => {
    if (lastTry === undefined) return ""
    const output = printable(commands.secrets.redact(lastTry.output.toString("utf8"))).trim()
    return `. The last try of its check ${lastTry.end ?? "had not ended"}${
      output === "" ? " and printed nothing" : ` and printed:\n${output}`
    }`
  }

  const becomesReady = Effect.gen(function*() {
    const { options, readyMs, startedAt } = service()
    const { check, cwd, env, user } = options
    if (check === undefined || readyMs !== undefined) {
      yield* change(name, (one) => ({ ...one, wasReady: true }))
      return yield* Deferred.succeed(live.settled, undefined)
    }
    const variables = yield* Effect.orElseSucceed(commands.secrets.variables(options.secretEnv), () => ({}))
    const defaults = yield* commands.defaults
    const request = {
      command: [],
      env: { ...defaults.env, ...env, ...variables },
      cwd: directoryOf(cwd, defaults),
      user,
      tty: false,
      rows: 24,
      cols: 80
    }
    yield* untilReady(vm.channel, check, {
      command: ({ argv, script }) =>
        spawnRequest({ ...request, ...(argv === undefined ? { script } : { command: argv }) }, {}),
      note: (one) => {
        lastTry = one
      },
      intervalMs: options.readyIntervalMs
    })
    if (services.live.get(name) !== live) return
    const took = Math.max(0, (yield* nowMs) - Date.parse(startedAt))
    yield* change(name, (one) => ({ ...one, readyMs: took, wasReady: true }))
    yield* record({ _tag: "service_ready", name, readyMs: took })
    yield* Deferred.succeed(live.settled, undefined)
  })

  /** Waits until the run is late for its readiness, and gives the reason of its end. */
  const late = Effect.gen(function*() {
    const { check, readyTimeoutSeconds } = service().options
    if (check === undefined) return yield* Effect.never
    yield* Effect.sleep(readyTimeoutSeconds * 1000)
    if (service().readyMs !== undefined) return yield* Effect.never
    return `it was not ready within ${readyTimeoutSeconds} s, and was stopped${lastTryText()}`
  })

  return Effect.gen(function*() {
    // At once: a service without a check is ready even if it ends immediately.
    const probing = yield* Effect.forkChild(becomesReady, { startImmediately: true })
    const reason = yield* Effect.asSome(late).pipe(
      Effect.raceFirst(Effect.as(Effect.exit(ended), Option.none())),
      Effect.raceFirst(Effect.as(Deferred.await(live.stopping), Option.none())),
      Effect.ensuring(Fiber.interrupt(probing))
    )
    const isStopping = yield* Deferred.isDone(live.stopping)
    if (Option.isSome(reason) || isStopping) yield* endRun
    const { outcome, status } = yield* ended
    const end: Omit<ServiceEnd, "at"> = {
      outcome: Option.isSome(reason) ? "not_ready" : outcome,
      ...(status === undefined ? {} : { status }),
      ...(Option.isSome(reason) ? { detail: reason.value } : {})
    }
    return end
  })
}
