import type { Wrap } from "../wrap.ts"
import { type AnyCall, demanding, type Process } from "./call.ts"

/**
 * Refuses an operation that makes something new, if the disk has too little space.
 *
 * Needs the check of the disk. Stands outside of builds, whose first step would fill the disk more.
 */
export const roomed: Wrap<AnyCall, Pick<Process, "demandRoom">> = {
  name: "room",
  does: "refuses the call if the disk is too full",
  because: "before the first step of a build or of a workspace",
  concerns: ({ needsRoom }) => needsRoom === true,
  around: (row, call, { demandRoom }) => demanding(row, call, () => demandRoom)
}
