import { Schema } from "effect"
import { optional } from "../fields.ts"
import { lazy } from "../operation.ts"

/** A command that is known already, also by the beginning of its id. */
export const StartedExecId = lazy(() =>
  Schema.String.pipe(
    Schema.pattern(/^[0-9a-f]{1,32}$/, {
      message: () => "must be 32 lower-case hexadecimal digits, or the first of them"
    })
  )
)

/** How much of a command's output its log has lost; the same field wherever a command is told about. */
export const droppedBytes = () =>
  optional(
    Schema.Int.annotations({ description: "Bytes of its output that the log does not have; absent when it has all" })
  )
