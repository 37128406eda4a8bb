import { NoSpace, VmFailed } from "../contract/errors.ts"
import { isDiskFull } from "../system/disk-full.ts"

/** Names the step in which something of a lower layer failed. */
export const failedAt = (step: string) => (cause: { readonly message: string }): VmFailed =>
  cause instanceof VmFailed ? cause : new VmFailed({ step, detail: cause.message, consoleTail: "" })

/** A full disk has an error of its own; everything else that the host's file system refuses is a failed step. */
export const fileFailedAt = (step: string, where: string) => (cause: unknown): VmFailed | NoSpace =>
  isDiskFull(cause)
    ? new NoSpace({ where: "state directory", path: where, neededMib: 1, availableMib: 0 })
    : new VmFailed({ step, detail: cause instanceof Error ? cause.message : String(cause), consoleTail: "" })
