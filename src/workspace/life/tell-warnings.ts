import { Effect, Option, Ref } from "effect"
import type { Notify } from "../entry/context.ts"
import type { Entry } from "../entry/entry.ts"

/** Tells the caller who made a workspace's new VM which residents are not as they were before. */
export const tellWarnings = (entry: Entry, notify: Notify) =>
  Effect.flatMap(
    Ref.get(entry.residents),
    Option.match({
      onNone: () => Effect.void,
      onSome: ({ takeWarnings }) =>
        Effect.map(takeWarnings, (warnings) => {
          for (const message of warnings) notify({ _tag: "Notice", level: "warning", message })
        })
    })
  )
