import { isOfRecipes } from "../../../building/calls.ts"
import { isOfWorkspaces } from "../workspaces/work.ts"
import type { Wrap } from "../wrap.ts"
import { type AnyCall, failingWith, type Process } from "./call.ts"

/**
 * A run or a build starts microVMs too. Its refusal for memory or processors names the workspaces that nothing uses, as that of `create` does.
 *
 * Needs the workspaces of the process. Stands outside of builds, and beside the line `unused workspaces`, which such calls do not pass.
 */
export const unusedBeside: Wrap<AnyCall, Pick<Process, "failNamed">> = {
  name: "unused workspaces of builds",
  does: "names unused workspaces in a refusal for memory or processors",
  because: "outside of builds, which start microVMs",
  concerns: (row) => isOfRecipes(row) || (row.kind === "streaming" && !isOfWorkspaces(row)),
  around: (row, call, { failNamed }) => failingWith(row, call, failNamed)
}
