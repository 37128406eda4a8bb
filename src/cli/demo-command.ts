import { Schema } from "effect"
import { type CliSurface, lazy } from "../contract/rows/operation.ts"
import { defaulted } from "../contract/text/fields.ts"

export const DemoPayload = lazy(() =>
  Schema.Struct({
    fast: defaulted(
      Schema.Boolean.annotate({
        description: "Do not wait for a reader between the steps. A pipe or a file never waits"
      }),
      () => false
    )
  })
)

/** Types other commands. So it is no operation. */
export const demoCommand = {
  name: "demo",
  summary: "Watch a tour of two minutes, in a workspace of its own",
  description:
    "Types the commands of a short story and says what they do: create, run, edit, snapshot, destroy, reset, fork, serve, diff. " +
    "Everything happens in a real microVM. The tour deletes its workspaces at the end, also after Ctrl-C.",
  cli: { path: ["demo"], args: [], exits: "own", examples: ["pyro demo", "pyro demo --fast"] } satisfies CliSurface,
  payload: DemoPayload
} as const
