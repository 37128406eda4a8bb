import { Schema } from "effect"
import { defaulted, optional } from "../text/fields.ts"
import { Notice } from "./notice.ts"
import { type Folding, lazy, streaming } from "./operation.ts"

export const DoctorPayload = lazy(() =>
  Schema.Struct({
    selftest: defaulted(
      Schema.Boolean.annotate({
        description:
          "Also start two microVMs from one template, and check that they share no state and leave nothing behind"
      }),
      () => false
    )
  })
)
export type DoctorPayload = ReturnType<typeof DoctorPayload>["Type"]

const lineFields = lazy(() => ({
  name: Schema.String.annotate({ description: "Name of the check" }),
  ok: Schema.Boolean.annotate({ description: "Whether the check passed" }),
  found: Schema.String.annotate({ description: "Finding, one sentence" }),
  mend: optional(
    Schema.String.annotate({ description: "Command or step that fixes it. Absent if the check passed" })
  )
}))

export const DoctorLine = lazy(() => Schema.Struct(lineFields()))
export type DoctorLine = ReturnType<typeof DoctorLine>["Type"]

export const DoctorEvent = lazy(() => Schema.Union([Notice(), Schema.TaggedStruct("Line", lineFields())]))
export type DoctorEvent = ReturnType<typeof DoctorEvent>["Type"]

export const DoctorResult = lazy(() =>
  Schema.Struct({
    ok: Schema.Boolean.annotate({ description: "Whether every check passed" }),
    lines: Schema.Array(DoctorLine()).annotate({ description: "The checks, in order" })
  })
)
export type DoctorResult = ReturnType<typeof DoctorResult>["Type"]

const fold = (): Folding<DoctorEvent, DoctorResult> => {
  const lines: Array<DoctorLine> = []
  return {
    add: (event) => {
      if (event._tag !== "Line") return
      const { _tag, ...line } = event
      lines.push(line)
    },
    result: () => ({ ok: lines.every((line) => line.ok), lines })
  }
}

export const doctor = streaming({
  name: "doctor",
  summary: "Check this host and show how to fix what is wrong",
  description:
    "Checks everything that pyro needs from this host. Prints one line per check: OK, or how to fix it. Exit status 1 if a check fails.",
  cli: { path: ["doctor"], args: [], exits: "own", examples: ["pyro doctor", "pyro doctor --selftest"] },
  mcp: { missing: "host administration" },
  annotations: { readOnly: true, destructive: false, idempotent: true, openWorld: false },
  payload: DoctorPayload,
  event: DoctorEvent,
  result: DoctorResult,
  exitStatus: (result) => result.ok ? 0 : 1,
  fold
})
