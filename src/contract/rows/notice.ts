import { Schema } from "effect"
import { integer, number, optional, string } from "../text/fields.ts"
import { lazy } from "./operation.ts"

/** A message beside the result: the progress of a long step, or a warning to the caller. */
export const Notice = lazy(() =>
  Schema.TaggedStruct("Notice", {
    level: Schema.Literals(["progress", "warning"]).annotate({
      description: "`progress`: for display only. `warning`: part of the result"
    }),
    message: string("The message, one sentence"),
    ignoredCount: optional(integer("Number of ignored files and directories that are not copied")),
    fraction: optional(number("Completed part of the step, 0 to 1"))
  })
)
export type Notice = ReturnType<typeof Notice>["Type"]

/** Warnings of a result, in the order of their notices. */
export const warnings = lazy(() =>
  Schema.Array(Schema.String).annotate({ description: "Warnings, one sentence each. Empty if there are none" })
)
