import { NoSpace, VmFailed } from "../contract/errors.ts"
import { FileFailed, isDiskFull } from "../system/files/failure.ts"

/** Names the step in which something of a lower layer failed. */
export const failedAt = (step: string) => (cause: { readonly message: string }): VmFailed =>
  cause instanceof VmFailed ? cause : new VmFailed({ step, detail: cause.message, consoleTail: "" })

/** A full disk has an error of its own; everything else that the host's file system refuses is a failed step. */
export const fileFailedAt = (step: string, where: string) => (failure: unknown): VmFailed | NoSpace =>
  isDiskFull(failure)
    ? new NoSpace({ where: "state directory", path: where, neededMib: 1, availableMib: 0 })
    : new VmFailed({ step, detail: detailOf(failure), consoleTail: "" })

const detailOf = (failure: unknown) =>
  failure instanceof FileFailed ? failure.detail : failure instanceof Error ? failure.message : String(failure)
