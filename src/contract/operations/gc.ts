import { Schema } from "effect"
import { lazy, unary } from "../operation.ts"
import { snakeFields } from "../snake.ts"

export const GcResult = lazy(() =>
  Schema.Struct(snakeFields({
    swept: Schema.Array(Schema.Struct({
      kind: Schema.String.annotations({ description: "What kind of thing it was, such as `vm` or `memory file`" }),
      what: Schema.String.annotations({ description: "Which one: a pid, an id or a path" })
    })),
    freedBytes: Schema.Int
  }))
)
export type GcResult = ReturnType<typeof GcResult>["Type"]

export const gc = unary({
  name: "gc",
  summary: "Sweep what a crash left behind",
  description:
    "Compares pyro's records with the processes, memory files and directories that are really there, ends and removes " +
    "what belongs to nobody, and says what it was. What is in use is left alone; repeating it is safe.",
  cli: { path: ["gc"], args: [], exits: "own", examples: ["pyro gc"] },
  mcp: { missing: "host administration" },
  annotations: { readOnly: false, destructive: true, idempotent: true, openWorld: false },
  payload: lazy(() => Schema.Struct({})),
  result: GcResult
})
