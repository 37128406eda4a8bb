import { Effect, Stream } from "effect"
import type { PyroError } from "../../contract/errors/errors.ts"
import { Pyro, type PyroService } from "../../contract/rows/Pyro.ts"
import { pyro } from "../model/effects.ts"
import { asWritten } from "./option-names.ts"

/** Ids of the object that a handle holds. */
interface Ids {
  readonly workspaceId?: string
  readonly execId?: string
  readonly shellId?: string
}

/** An error gets the ids of the handle that failed, unless it has its own, and the names of its options. JSON has only the contract's fields. */
const withIds = (ids: Ids) => <E extends PyroError>(failure: E): E => {
  const error = asWritten(failure)
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
  use: <A, E extends PyroError, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, Exclude<R, Pyro>> =>
    Effect.mapError(Effect.provideService(effect, Pyro, service), withIds(ids)),
  /** Gives the events of an operation their service. */
  useStream: <A, E extends PyroError, R>(stream: Stream.Stream<A, E, R>): Stream.Stream<A, E, Exclude<R, Pyro>> =>
    Stream.mapError(Stream.provideService(stream, Pyro, service), withIds(ids))
})

/** The operations of pyro for one handle. */
export interface Host {
  readonly service: PyroService
  readonly pyro: typeof pyro
  readonly of: (more: Ids) => Host
  readonly use: <A, E extends PyroError, R>(effect: Effect.Effect<A, E, R>) => Effect.Effect<A, E, Exclude<R, Pyro>>
  readonly useStream: <A, E extends PyroError, R>(
    stream: Stream.Stream<A, E, R>
  ) => Stream.Stream<A, E, Exclude<R, Pyro>>
}

/** The fields of a request for a command. */
export const commandFields = (command: string | ReadonlyArray<string>) =>
  typeof command === "string" ? { script: command } : { command }
