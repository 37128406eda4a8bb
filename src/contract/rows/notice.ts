import { Schema } from "effect"
import { integer, number, optional, string } from "../text/fields.ts"
import { type Folding, lazy } from "./operation.ts"

/** A message beside the result: the progress of a long step, a line of its programs, a warning to the caller, or what a person may do next. */
export const Notice = lazy(() =>
  Schema.TaggedStruct("Notice", {
    level: Schema.Literals(["progress", "output", "warning", "hint"]).annotate({
      description:
        "`progress`, `output`, `hint`: for display only. `output`: a line that a program of a build printed. `warning`: part of the result"
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

const isNotice = (event: { readonly _tag: string }): event is Notice => event._tag === "Notice"

/** Gathers the warnings, and makes the result of the event with this tag. */
export const foldTo = <Event extends { readonly _tag: string }, const Tag extends Event["_tag"], Result>(
  tag: Tag,
  result: (event: Extract<Event, { readonly _tag: Tag }>, warnings: ReadonlyArray<string>) => Result
): Folding<Event, Result> => {
  const messages: Array<string> = []
  let last: Extract<Event, { readonly _tag: Tag }> | undefined
  return {
    add: (event) => {
      if (event._tag === tag) last = event as typeof last
      else if (isNotice(event) && event.level === "warning") messages.push(event.message)
    },
    result: () => last && result(last, messages)
  }
}
