import { NoSpace, VmFailed } from "../../contract/errors/errors.ts"
import { type FileFailed, isDiskFull } from "../../system/files/failure.ts"

/** Names the step in which something of a lower layer failed. */
export const failedAt = (step: string) => (cause: { readonly message: string }): VmFailed =>
  cause instanceof VmFailed ? cause : new VmFailed({ step, detail: cause.message, consoleTail: "" })

/** What the caller of a step is told of a file that the host refused: a full disk has an error of its own. */
export const fileFailedAt = (step: string, where: string) => (failure: FileFailed): VmFailed | NoSpace =>
  isDiskFull(failure)
    ? new NoSpace({ where: "state directory", path: where, neededMib: 1, availableMib: 0 })
    : new VmFailed({ step, detail: failure.detail, consoleTail: "" })
