import { Effect } from "effect"
import * as path from "node:path"
import { InvalidRequest } from "../../contract/errors/errors.ts"
import { printable } from "../../contract/text/printable.ts"
import { boundPlaces, type CallerPlaces, callerProject } from "../../contract/wire/caller-project.ts"
import { isBeneath } from "./host-path.ts"

const callersPlaces: Effect.Effect<CallerPlaces | undefined> = Effect.zipWith(
  boundPlaces,
  callerProject,
  (bound, caller) => bound ?? caller?.places
)

/**
 * Directory that the caller's output cannot leave, which `pyro-put` opens without links. Undefined: the caller is a person or a program,
 * whose paths may have links. The surface checked the output before, but another process may have changed the path since.
 */
export const writingPlace = (output: string): Effect.Effect<string | undefined, InvalidRequest> =>
  Effect.flatMap(callersPlaces, (places) => {
    if (places === undefined || output === "-") return Effect.succeed(undefined)
    const file = output.replace(/\/+$/, "")
    const place = places.writing.find((one) => isBeneath(file, one))
    if (place === undefined) return outside("output", output)
    return Effect.succeed(file === place ? path.dirname(place) : place)
  })

/** Fails for a source outside of the caller's directories. `real` is the source with all links resolved, and is opened without links later. */
export const demandReadable = (field: string, real: string): Effect.Effect<void, InvalidRequest> =>
  Effect.flatMap(
    callersPlaces,
    (places) =>
      places === undefined || places.reading.some((one) => isBeneath(real, one)) ? Effect.void : outside(field, real)
  )

const outside = (field: string, file: string) =>
  new InvalidRequest({ field, detail: `${printable(file)} leads out of the directories that this server may use` })
