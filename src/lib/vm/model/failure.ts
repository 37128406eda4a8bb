import { NoSpace, VmFailed } from "../../../contract/errors/errors.ts"
import { type FileFailed, isDiskFull } from "../../../system/files/failure.ts"

/** Failure of a step that happened before the guest wrote to its console, or without its console. */
export const vmFailed = (step: string, detail: string) => new VmFailed({ step, detail, consoleTail: "" })

/** Turns a failure of a lower layer into a `VmFailed` of a step. */
export const failedAt = (step: string) => (cause: { readonly message: string }): VmFailed =>
  cause instanceof VmFailed ? cause : vmFailed(step, cause.message)

/** The error of a step for a failed file operation: a full disk has its own. */
export const fileFailedAt = (step: string, where: string) => (failure: FileFailed): VmFailed | NoSpace =>
  isDiskFull(failure)
    ? new NoSpace({ where: "state directory", path: where, neededMib: 1, availableMib: 0 })
    : vmFailed(step, failure.detail)
