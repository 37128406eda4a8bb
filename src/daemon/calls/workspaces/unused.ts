import { namingUnused } from "../../../workspace/operations/unused.ts"
import { isOfWorkspaces, type WorkWrap } from "./work.ts"

/**
 * A refusal for memory or processors names the workspaces that nothing uses, which the caller may delete.
 *
 * Needs the registry. Stands outside of all that starts a VM.
 */
export const unused: WorkWrap = {
  name: "unused workspaces",
  does: "names unused workspaces in a refusal for memory or processors",
  because: "outside of every line that may start a microVM",
  concerns: isOfWorkspaces,
  around: (_, work) => (payload, at) => namingUnused(at.registry)(work(payload, at))
}
