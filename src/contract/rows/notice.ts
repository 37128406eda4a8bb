import { Schema } from "effect"
import { NextStep } from "../errors/next-step.ts"
import { integer, number, optional, string } from "../text/fields.ts"
import { type Folding, lazy } from "./operation.ts"

const told = lazy(() => ({
  message: string("What happened, one sentence. It names no command and no option"),
  next: optional(
    Schema.Array(NextStep).annotate({ description: "What to do next, the best first. Absent if nothing helps" })
  )
}))

/** A sentence about a call, and what to do next. */
export const Told = lazy(() => Schema.Struct(told()))
export type Told = ReturnType<typeof Told>["Type"]

/** A message beside the result: the progress of a long step, a line of its programs, a warning to the caller, or what a person may do next. */
export const Notice = lazy(() =>
  Schema.TaggedStruct("Notice", {
    level: Schema.Literals(["progress", "output", "warning", "hint"]).annotate({
      description:
        "`progress`, `output`, `hint`: for display only. `output`: a line that a program of a build printed. `warning`: part of the result"
    }),
    ...told(),
    ignoredCount: optional(integer("Number of ignored files and directories that are not copied")),
    fraction: optional(number("Completed part of the step, 0 to 1"))
  })
)
export type Notice = ReturnType<typeof Notice>["Type"]

/** A notice. Absent steps are left out. */
export const notice = (level: Notice["level"], message: string, next: ReadonlyArray<NextStep> = []): Notice => ({
  _tag: "Notice",
  level,
  message,
  ...(next.length === 0 ? {} : { next })
})

/** Warnings of a result, in the order of their notices. */
export const warnings = lazy(() => Schema.Array(Told()).annotate({ description: "Warnings. Empty if there are none" }))

const isNotice = (event: { readonly _tag: string }): event is Notice => event._tag === "Notice"

/** What a notice tells, without its level. */
const toldOf = ({ message, next }: Told): Told => ({ message, ...(next === undefined ? {} : { next }) })

/** Gathers the notices of one level. */
export class Gathered {
  readonly #level: Notice["level"]
  readonly all: Array<Told> = []

  constructor(level: Notice["level"] = "warning") {
    this.#level = level
  }

  add(notice: Notice): void {
    if (notice.level === this.#level) this.all.push(toldOf(notice))
  }
}

/** Gathers the warnings, and makes the result of the event with this tag. */
export const foldTo = <Event extends { readonly _tag: string }, const Tag extends Event["_tag"], Result>(
  tag: Tag,
  result: (event: Extract<Event, { readonly _tag: Tag }>, warnings: ReadonlyArray<Told>) => Result
): Folding<Event, Result> => {
  const messages = new Gathered()
  let last: Extract<Event, { readonly _tag: Tag }> | undefined
  return {
    add: (event) => {
      if (event._tag === tag) last = event as typeof last
      else if (isNotice(event)) messages.add(event)
    },
    result: () => last && result(last, messages.all)
  }
}
