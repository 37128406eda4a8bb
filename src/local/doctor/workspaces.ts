import { Effect, Result } from "effect"
import type { DoctorLine } from "../../contract/rows/host.ts"
import { readWorkspaces } from "../../workspace/life/recorded.ts"
import { fine, wrong } from "./line.ts"

/**
 * A line for each workspace whose record cannot be read. While there is one `pyro gc` leaves the disks of all alone, since that record
 * might name any of them.
 */
export const workspaces = Effect.map(readWorkspaces, (all): ReadonlyArray<DoctorLine> => {
  const damaged = all.filter(({ record }) => Result.isFailure(record))
  if (damaged.length === 0) {
    return [fine("workspaces", all.length === 0 ? "none" : `${all.length}, each with a record that can be read`)]
  }
  return damaged.map(({ folder: { record }, id }) =>
    wrong(
      "workspaces",
      `${id} is left alone, its record is damaged`,
      `mend ${record}, then: pyro daemon stop; or give up what is in it: pyro delete ${id}`
    )
  )
}).pipe(
  Effect.catch((failure) => Effect.succeed([wrong("workspaces", "they cannot be read", failure.message)]))
)
