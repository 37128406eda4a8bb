import { Effect, Either } from "effect"
import type { DoctorLine } from "../../contract/operations/doctor.ts"
import { readWorkspaces } from "../../workspace/lifecycle/names.ts"
import { fine, wrong } from "./line.ts"

/**
 * A line for each workspace whose record cannot be read. No other command names those: nothing is known of them but their folders, and
 * while there is one `pyro gc` leaves the disks of all alone, since it might name any of them.
 */
export const workspaces = Effect.map(readWorkspaces, (all): ReadonlyArray<DoctorLine> => {
  const damaged = all.filter(({ record }) => Either.isLeft(record))
  if (damaged.length === 0) {
    return [fine("workspaces", all.length === 0 ? "none" : `${all.length}, each with a record that can be read`)]
  }
  return damaged.map(({ folder: { directory, record }, id }) =>
    wrong(
      "workspaces",
      `${id} is left alone, its record is damaged`,
      `mend ${record}, or give up what is in it with rm -r ${directory}; then pyro daemon stop`
    )
  )
})
