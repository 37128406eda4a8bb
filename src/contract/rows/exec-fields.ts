import { Schema } from "effect"
import { optional } from "../text/fields.ts"
import { lazy } from "./operation.ts"

/** Id of a started command, or its first digits. */
export const StartedExecId = lazy(() =>
  Schema.String.pipe(
    Schema.check(
      Schema.isPattern(/^[0-9a-f]{1,32}$/, {
        message: "must be 32 lower-case hexadecimal digits, or the first of them"
      })
    )
  )
)

/** Bytes of a command's output that its log no longer has. */
export const droppedBytes = () =>
  optional(
    Schema.Int.annotate({
      description: "Bytes of the output that the log no longer has. Absent if the log is complete"
    })
  )
