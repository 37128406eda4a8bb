import { asEditStep, editOf } from "../../../workspace/operations/edit-step.ts"
import type { AtResidents } from "../../../workspace/operations/work.ts"
import { isOfWorkspaces, type WorkWrap } from "./work.ts"

/**
 * Makes a change of files one step of the history, which a rewind undoes.
 *
 * Needs the journal of the workspace. Stands right around the work: the journal has its begin and its end.
 */
export const edited: WorkWrap = {
  name: "step",
  does: "writes a change of files into the journal, as a step of the history",
  because: "right around the work, whose begin and end the journal has",
  concerns: (row) => isOfWorkspaces(row) && editOf(row.name) !== undefined,
  around: (row, work) => {
    const stepOf = isOfWorkspaces(row) ? editOf(row.name) : undefined
    if (stepOf === undefined) return work
    return (payload, at) => {
      const step = stepOf(payload)
      return step === undefined ? work(payload, at) : asEditStep(at as AtResidents, step, work(payload, at))
    }
  }
}
