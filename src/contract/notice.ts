import { Schema } from "effect"
import { optional } from "./fields.ts"
import { lazy } from "./operation.ts"

/** Something said beside the work itself: how far a long step is, or what the caller should know. */
export const Notice = lazy(() =>
  Schema.TaggedStruct("Notice", {
    level: Schema.Literal("progress", "warning").annotations({
      description: "`progress` can be shown and forgotten; a `warning` is part of the result"
    }),
    message: Schema.String,
    ignoredCount: optional(
      Schema.Int.annotations({ description: "How many ignored files and directories stay on the host" })
    ),
    fraction: optional(Schema.Number.annotations({ description: "How much of the step is done, 0 to 1" }))
  })
)
export type Notice = ReturnType<typeof Notice>["Type"]
