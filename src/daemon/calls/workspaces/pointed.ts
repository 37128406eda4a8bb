import { Effect } from "effect"
import type { PayloadOf } from "../../../contract/rows/operations.ts"
import { pointBeforeCommand } from "../../../workspace/life/points/keeper.ts"
import { editOf } from "../../../workspace/operations/edit-step.ts"
import { startsCommand } from "../../../workspace/operations/exec.ts"
import type { AtResidents, WorkspacesOperation } from "../../../workspace/operations/work.ts"
import { isOfWorkspaces, type WorkWrap } from "./work.ts"

/** Whether a request is about to change the guest, in the operations that change it in another way than by an edit. */
const starts: { readonly [Name in WorkspacesOperation]?: (at: AtResidents, payload: unknown) => boolean } = {
  "workspace.exec": ({ commands }, payload) => startsCommand(commands, payload as PayloadOf<"workspace.exec">),
  "workspace.ssh.proxy": () => true
}

/** Whether a request of the operation changes the guest. Undefined: none does. */
const changes = (name: WorkspacesOperation) => {
  const stepOf = editOf(name)
  return stepOf === undefined ? starts[name] : (_: AtResidents, payload: unknown) => stepOf(payload) !== undefined
}

/**
 * Makes a point before a command or a connection of SSH starts, or files change, if one is due: a rewind returns to it.
 *
 * Needs the residents of the workspace. Stands right before the step: an earlier point would lack what outer lines did to the workspace.
 */
export const pointed: WorkWrap = {
  name: "point",
  does: "makes a point before a command, a connection of SSH or an edit, for a rewind",
  because: "right outside of the step that a rewind undoes",
  concerns: (row) => isOfWorkspaces(row) && changes(row.name) !== undefined,
  around: (row, work) => {
    const isDue = isOfWorkspaces(row) ? changes(row.name) : undefined
    return isDue === undefined ? work : (payload, at) => {
      const here = at as AtResidents
      const step = work(payload, at)
      return isDue(here, payload) ? Effect.andThen(pointBeforeCommand(here.lifecycle, here.entry), step) : step
    }
  }
}
