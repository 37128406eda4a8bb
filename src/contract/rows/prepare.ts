import { Schema } from "effect"
import { defaulted, list, text } from "../text/fields.ts"
import { EnvironmentSummary } from "./environment.ts"
import { Notice } from "./notice.ts"
import { type Folding, lazy, streaming } from "./operation.ts"

export const PreparePayload = lazy(() =>
  Schema.Struct({
    environments: defaulted(
      list(text("Name of an environment")).annotate({ description: "Environments to make ready" }),
      () => ["debian:12"]
    )
  })
)
export type PreparePayload = ReturnType<typeof PreparePayload>["Type"]

export const PrepareEvent = lazy(() =>
  Schema.Union([
    Notice(),
    Schema.TaggedStruct("Prepared", {
      environment: EnvironmentSummary().annotate({ description: "An environment that a command ran in" })
    })
  ])
)
export type PrepareEvent = ReturnType<typeof PrepareEvent>["Type"]

const PrepareResult = lazy(() =>
  Schema.Struct({
    environments: Schema.Array(EnvironmentSummary()).annotate({ description: "The environments that are ready" })
  })
)

const foldPrepare = (): Folding<PrepareEvent, ReturnType<typeof PrepareResult>["Type"]> => {
  const environments: Array<EnvironmentSummary> = []
  return {
    add: (event) => {
      if (event._tag === "Prepared") environments.push(event.environment)
    },
    result: () => ({ environments })
  }
}

export const prepare = streaming({
  name: "prepare",
  summary: "Make everything ready, so that the first workspace starts at once",
  description:
    "Builds missing environments, boots each once, and saves the templates that microVMs are restored from, with and without a seed. " +
    "Runs a command in each. Leaves no workspace. Running it again takes a few seconds.",
  cli: {
    path: ["prepare"],
    args: ["environments"],
    exits: "own",
    examples: ["pyro prepare", "pyro prepare debian:12 debian:12-build"]
  },
  mcp: { missing: "host administration" },
  home: "daemon",
  annotations: { readOnly: false, destructive: false, idempotent: true, openWorld: true },
  payload: PreparePayload,
  event: PrepareEvent,
  result: PrepareResult,
  fold: foldPrepare
})
