import { VmFailed } from "../../../contract/errors/errors.ts"

/** Why the residents of a workspace ended: an operation ended their VM. */
export const endedBy = (operation: string) =>
  new VmFailed({ step: operation, detail: `the workspace's microVM was ended by a ${operation}`, consoleTail: "" })
