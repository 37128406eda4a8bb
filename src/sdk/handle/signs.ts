import { Effect, Layer, type Scope } from "effect"
import { InvalidRequest, type PyroError } from "../../contract/errors/errors.ts"
import { Pyro, type PyroService } from "../../contract/rows/Pyro.ts"
import type { WorkspaceInfo } from "../../contract/rows/workspace-info.ts"
import { isKeptAlive, KEEP_ALIVE_SECONDS } from "../../contract/wire/keep-alive.ts"
import { sleepInBackground } from "../../system/waits/signal.ts"
import type { CreateOptions } from "../promises/workspace.ts"
import type { Host } from "./host.ts"
import { type InSeconds, inSeconds } from "./option-names.ts"

/** Signs of life that the handle of a workspace gives while its program lives. */
export interface Signs {
  readonly everyMs: number
}

type Given = Omit<CreateOptions, "signal">

/** A workspace that a program asks for. */
export interface Wanted {
  /** The options of the operation. */
  readonly fields: InSeconds<Omit<Given, "keepAlive">>
  /** Asks for the workspace of a handle that keeps it alive, or not. */
  readonly asKeptAlive: <A, E, R>(work: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>
  /** The signs that the made workspace needs. */
  readonly signsOf: (info: Pick<WorkspaceInfo, "pauseAfterSeconds">) => Signs | undefined
}

/** Three signs within the shorter of the times, so that one may be late. */
const signsWithin = (...seconds: ReadonlyArray<number | undefined>): Signs | undefined => {
  const known = seconds.filter((one) => one !== undefined && one > 0) as ReadonlyArray<number>
  // Node's timers treat a longer delay as no delay.
  return known.length === 0 ? undefined : { everyMs: Math.min(2 ** 31 - 1, Math.min(...known) * 1000 / 3) }
}

/** The options of a creation, also from a caller without types. */
export const wantedOf = (options: Given | undefined): Effect.Effect<Wanted, InvalidRequest> => {
  const { keepAlive, ...rest } = options ?? {}
  if (keepAlive !== undefined && typeof keepAlive !== "boolean") {
    return Effect.fail(new InvalidRequest({ field: "keepAlive", detail: "must be true or false" }))
  }
  const fields = inSeconds(rest)
  const isTimed = fields.ttlSeconds !== undefined || fields.pauseAfterSeconds !== undefined
  const keeps = keepAlive ?? !isTimed
  return Effect.succeed({
    fields,
    asKeptAlive: (work) => keeps && !isTimed ? Effect.provideService(work, isKeptAlive, true) : work,
    signsOf: ({ pauseAfterSeconds }) => {
      if (!keeps) return undefined
      if (keepAlive === true) return signsWithin(fields.ttlSeconds, pauseAfterSeconds)
      // Another time is that of the daemon's settings or of a snapshot's workspace, and holds as it is.
      return pauseAfterSeconds === KEEP_ALIVE_SECONDS ? signsWithin(pauseAfterSeconds) : undefined
    }
  })
}

/** The end of each service's Layer. */
const scopes = new WeakMap<PyroService, Scope.Scope>()

/**
 * Gives the signs of a handle until its workspace is gone or its client is closed. They do not keep the program alive. One that fails, or comes late,
 * at most leads to a pause, which the next use undoes.
 */
export const giveSigns = (
  { pyro, service, use }: Host,
  workspace: string,
  { everyMs }: Signs
): Effect.Effect<void> =>
  Effect.suspend(() => {
    const scope = scopes.get(service)
    if (scope === undefined) return Effect.void
    const sign = use(pyro.workspace.status({ workspace })).pipe(
      Effect.provideService(isKeptAlive, true),
      Effect.as(true),
      Effect.catchTag("WorkspaceNotFound", () => Effect.succeed(false)),
      Effect.catchCause(() => Effect.succeed(true))
    )
    const signs: Effect.Effect<void> = Effect.flatMap(
      Effect.andThen(sleepInBackground(everyMs), sign),
      (isThere) => isThere ? signs : Effect.void
    )
    return Effect.asVoid(Effect.forkIn(signs, scope))
  })

/** The same service. The signs of its handles end with the Layer. */
export const endingSigns = <A>(layer: Layer.Layer<A | Pyro, PyroError>): Layer.Layer<A | Pyro, PyroError> =>
  Layer.provideMerge(
    Layer.effect(
      Pyro,
      Effect.gen(function*() {
        const service = yield* Pyro
        scopes.set(service, yield* Effect.scope)
        return service
      })
    ),
    layer
  )
