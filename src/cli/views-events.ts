import { Effect } from "effect"
import { note, print } from "./print.ts"
import { topTable } from "./top-table.ts"
import type { View } from "./view.ts"

/** Further lines of a text are indented, so that they pass for no event. */
const lineOf = ({ at, text }: { readonly at: string; readonly text: string }) =>
  `${at}  ${text.trimEnd().replaceAll("\n", "\n    ")}\n`

export const eventViews = {
  "workspace.events": {
    // Ctrl-C ends a follower.
    next: (payload, { nextCursor }) => payload.follow ? { ...payload, cursor: nextCursor } : undefined,
    items: "events",
    result: ({ events }, { follow }) =>
      events.length === 0 && !follow ? note("no events\n") : print(events.map(lineOf).join(""))
  } satisfies View<"workspace.events">,
  "watch": {
    result: (table) => Effect.flatMap(topTable(table), print),
    perform: (pyro, payload, json) =>
      Effect.promise(() => import("./top.ts")).pipe(
        Effect.flatMap(({ performTop }) => performTop(pyro, payload, json)),
        Effect.as({ _tag: "Shown", status: 0 })
      )
  } satisfies View<"watch">
}
