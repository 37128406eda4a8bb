import { Effect, Stream } from "effect"
import { type PyroError, ServiceNotFound, SnapshotNotFound, WorkspaceNotFound } from "../contract/errors/errors.ts"
import { ends } from "../contract/rows/operations.ts"
import { callOf, mapCalls, type PyroService } from "../contract/rows/Pyro.ts"

/** The same error without names of other objects. */
const withoutSimilar = (error: PyroError): PyroError => {
  switch (error._tag) {
    case "ServiceNotFound":
      return new ServiceNotFound({ ...error, similar: [] })
    case "SnapshotNotFound":
      return new SnapshotNotFound({ ...error, similar: [] })
    case "WorkspaceNotFound":
      return new WorkspaceNotFound({ ...error, similar: [] })
    default:
      return error
  }
}

/**
 * The same operations, but for those that end or remove what they name: these answer an unknown name without similar ones. A person in a
 * hurry, or a model, would take the next best name, and lose another workspace.
 */
export const withExactNames = (pyro: PyroService): PyroService =>
  mapCalls((row) => {
    const call = callOf(pyro, row)
    if (!ends(row)) return call
    return (payload: unknown) => {
      const work = call(payload) as Effect.Effect<unknown, PyroError> | Stream.Stream<unknown, PyroError>
      return Effect.isEffect(work) ? Effect.mapError(work, withoutSimilar) : Stream.mapError(work, withoutSimilar)
    }
  })
