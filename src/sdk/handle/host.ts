import { Effect, Stream } from "effect"
import type { PyroError } from "../../contract/errors/errors.ts"
import { Pyro, type PyroService } from "../../contract/rows/Pyro.ts"
import { named } from "../../contract/text/names.ts"
import { pyro } from "../effects.ts"

/** Ids of the object that a handle holds. */
interface Ids {
  readonly workspaceId?: string
  readonly execId?: string
  readonly shellId?: string
}

/** An error gets the ids of the handle that failed, unless it has its own. JSON has the contract's fields alone. */
const withIds = (ids: Ids) => (error: PyroError): PyroError => {
  for (const [name, value] of Object.entries(ids)) {
    if (!(name in error)) Object.defineProperty(error, name, { value, configurable: true })
  }
  return error
}

/** The operations of pyro for one handle, which has its service: programs need none for the handle's methods. */
export const hostOf = (service: PyroService, ids: Ids = {}): Host => ({
  service,
  pyro,
  /** The same for an object with more ids. */
  of: (more: Ids): Host => hostOf(service, { ...ids, ...more }),
  /** Gives an operation its service. */
  use: <A, R>(effect: Effect.Effect<A, PyroError, R>): Effect.Effect<A, PyroError, Exclude<R, Pyro>> =>
    Effect.mapError(Effect.provideService(effect, Pyro, service), withIds(ids)),
  /** Gives the events of an operation their service. */
  useStream: <A, R>(stream: Stream.Stream<A, PyroError, R>): Stream.Stream<A, PyroError, Exclude<R, Pyro>> =>
    Stream.mapError(Stream.provideService(stream, Pyro, service), withIds(ids))
})

/** The operations of pyro for one handle. */
export interface Host {
  readonly service: PyroService
  readonly pyro: typeof pyro
  readonly of: (more: Ids) => Host
  readonly use: <A, R>(effect: Effect.Effect<A, PyroError, R>) => Effect.Effect<A, PyroError, Exclude<R, Pyro>>
  readonly useStream: <A, R>(stream: Stream.Stream<A, PyroError, R>) => Stream.Stream<A, PyroError, Exclude<R, Pyro>>
}

/** Options of the contract whose times the handle has in ms. */
const SECONDS = {
  timeoutMs: "timeoutSeconds",
  graceMs: "graceSeconds",
  readyTimeoutMs: "readyTimeoutSeconds",
  waitMs: "waitSeconds",
  ttlMs: "ttlSeconds",
  pauseAfterMs: "pauseAfterSeconds"
} as const
type Seconds = typeof SECONDS

/** Times in whole seconds. */
const WHOLE: ReadonlyArray<string> = [SECONDS.ttlMs, SECONDS.pauseAfterMs]

/** Options with times in seconds, as the contract has them. */
export type InSeconds<Options> = {
  readonly [K in keyof Options as K extends keyof Seconds ? Seconds[K] : K]: Options[K]
}

/** The options of an operation, from those of a handle. */
export const inSeconds = <Options extends object>(options: Options | undefined): InSeconds<Options> =>
  named(
    Object.entries(options ?? {}).map(([name, value]: readonly [string, unknown]) => {
      const contract = name in SECONDS ? SECONDS[name as keyof Seconds] : undefined
      if (contract === undefined || typeof value !== "number") return [contract ?? name, value]
      return [contract, WHOLE.includes(contract) ? Math.ceil(value / 1000) : value / 1000]
    })
  ) as InSeconds<Options>

/** The fields of a request for a command. */
export const commandFields = (command: string | ReadonlyArray<string>) =>
  typeof command === "string" ? { script: command } : { command }
