import { Deferred, Effect, Fiber, Option } from "effect"
import * as path from "node:path"
import type { PyroError } from "../../../contract/errors/errors.ts"
import { printable } from "../../../contract/text/printable.ts"
import { nowMs } from "../../../system/waits/time.ts"
import type { ResidentVm } from "../../entry/resident.ts"
import { spawnRequest } from "../command.ts"
import { endRunning } from "../exec/cancel.ts"
import type { CommandEnd } from "../exec/journal.ts"
import { type LastTry, untilReady } from "./readiness.ts"
import type { Live, Services } from "./services.ts"
import { notInMemory } from "./settle.ts"
import type { ServiceEnd } from "./state.ts"

/** Follows the present run of a service to its end: with its check, its time to become ready, and a request to stop. */
export const followRun = (
  services: Services,
  vm: ResidentVm,
  live: Live
): Effect.Effect<Omit<ServiceEnd, "at">, PyroError> => {
  const { change, commands, record } = services
  const { name } = live
  const service = () => services.get(name)!

  const runId = () => service().runs.at(-1)?.execId ?? ""

  /** The end of the present run. */
  const ended: Effect.Effect<CommandEnd, PyroError> = Effect.suspend(() => {
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
    // A stop may have begun to end the command, with a grace of its own.
    return command === undefined || command.isEnding ? Effect.void : endRunning(command)
  })

  let lastTry: LastTry | undefined
  /** What the check's script printed, as a sentence of the reason. */
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
    const request = { command: [], env: { ...env, ...variables }, cwd, user, tty: false, rows: 24, cols: 80 }
    yield* untilReady(vm.channel, check, {
      command: (script) => spawnRequest({ ...request, script }, {}),
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

  /** Ends a run that is not ready in time. Gives the reason. */
  const late = Effect.gen(function*() {
    const { check, readyTimeoutSeconds } = service().options
    if (check === undefined) return yield* Effect.never
    yield* Effect.sleep(readyTimeoutSeconds * 1000)
    if (service().readyMs !== undefined) return yield* Effect.never
    return `it was not ready within ${readyTimeoutSeconds} s, and was stopped${lastTryText()}`
  })

  return Effect.gen(function*() {
    // At once: a service without a check is ready also if it ends in no time.
    const probing = yield* Effect.forkChild(becomesReady, { startImmediately: true })
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
}
