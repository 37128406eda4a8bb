import type { OnProgress } from "../../lib/environment/Environments.ts"
import type { Notify } from "../../workspace/entry/context.ts"

/** Progress as notices. */
export const progressTo = (notify: Notify): OnProgress => ({ fraction, line, step }) =>
  notify(
    line === undefined
      ? { _tag: "Notice", level: "progress", message: step, fraction }
      : { _tag: "Notice", level: "output", message: line }
  )
