import { Schema } from "effect"
import { defaulted, optional } from "../fields.ts"
import { Notice } from "../notice.ts"
import { type Folding, lazy, streaming } from "../operation.ts"

export const DoctorPayload = lazy(() =>
  Schema.Struct({
    selftest: defaulted(
      Schema.Boolean.annotations({
        description:
          "Also start two microVMs from one template and prove that they are unlike each other and leave nothing behind"
      }),
      () => false
    )
  })
)
export type DoctorPayload = ReturnType<typeof DoctorPayload>["Type"]

const lineFields = lazy(() => ({
  name: Schema.String.annotations({ description: "What was looked at" }),
  ok: Schema.Boolean,
  found: Schema.String.annotations({ description: "What was found" }),
  mend: optional(Schema.String.annotations({ description: "Command, or step, that mends it" }))
}))

export const DoctorLine = lazy(() => Schema.Struct(lineFields()))
export type DoctorLine = ReturnType<typeof DoctorLine>["Type"]

export const DoctorEvent = lazy(() => Schema.Union(Notice(), Schema.TaggedStruct("Line", lineFields())))
export type DoctorEvent = ReturnType<typeof DoctorEvent>["Type"]

export const DoctorResult = lazy(() => Schema.Struct({ ok: Schema.Boolean, lines: Schema.Array(DoctorLine()) }))
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
  summary: "Check this host and say how to mend what is wrong",
  description:
    "Looks at what pyro needs of this host, a line each: OK, or what to do. Leaves with 1 when something is wrong.",
  cli: { path: ["doctor"], args: [], exits: "own", examples: ["pyro doctor", "pyro doctor --selftest"] },
  mcp: { missing: "host administration" },
  annotations: { readOnly: true, destructive: false, idempotent: true, openWorld: false },
  payload: DoctorPayload,
  event: DoctorEvent,
  result: DoctorResult,
  exitStatus: (result) => result.ok ? 0 : 1,
  fold
})
