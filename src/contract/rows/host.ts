import { Schema } from "effect"
import { boolean, defaulted, flag, integer, list, optional, string, text } from "../text/fields.ts"
import { snakeStruct } from "../text/snake.ts"
import { ofBuilding } from "./call-errors.ts"
import { DiskUsage } from "./disk-usage.ts"
import { EnvironmentSummary } from "./environment.ts"
import { Notice } from "./notice.ts"
import { type Folding, lazy, streaming, unary } from "./operation.ts"

export const DoctorPayload = lazy(() =>
  Schema.Struct({
    selftest: flag(
      "Also start two microVMs from one template, and check that they share no state and leave nothing behind"
    )
  })
)
export type DoctorPayload = ReturnType<typeof DoctorPayload>["Type"]

const lineFields = lazy(() => ({
  name: string("Name of the check"),
  ok: boolean("Whether the check passed"),
  found: string("Finding, one sentence"),
  fix: optional(string("Command or step that fixes it. Absent if the check passed"))
}))

export const DoctorLine = lazy(() => Schema.Struct(lineFields()))
export type DoctorLine = ReturnType<typeof DoctorLine>["Type"]

export const DoctorEvent = lazy(() => Schema.Union([Notice(), Schema.TaggedStruct("Line", lineFields())]))
export type DoctorEvent = ReturnType<typeof DoctorEvent>["Type"]

const DoctorResult = lazy(() =>
  Schema.Struct({
    ok: boolean("Whether every check passed"),
    lines: Schema.Array(DoctorLine()).annotate({ description: "The checks, in order" })
  })
)
type DoctorResult = ReturnType<typeof DoctorResult>["Type"]

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
  cli: { path: ["doctor"], args: [], examples: ["pyro doctor", "pyro doctor --selftest"] },
  mcp: { missing: "host administration" },
  errors: [],
  annotations: { readOnly: true, destructive: false, idempotent: true, openWorld: false },
  payload: DoctorPayload,
  event: DoctorEvent,
  result: DoctorResult,
  exitStatus: (result) => result.ok ? 0 : 1,
  fold
})

export const PreparePayload = lazy(() =>
  Schema.Struct({
    environments: defaulted(
      list(text("Name of an environment")).annotate({ description: "Environments to make ready" }),
      () => ["debian:12"]
    )
  })
)
export type PreparePayload = ReturnType<typeof PreparePayload>["Type"]

const PrepareEvent = lazy(() =>
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
    examples: ["pyro prepare", "pyro prepare debian:12 debian:12-build"]
  },
  mcp: { missing: "host administration" },
  home: "daemon",
  errors: [...ofBuilding, "EnvironmentNameTaken", "IdAmbiguous", "NetworkUnsupported"],
  annotations: { readOnly: false, destructive: false, idempotent: true, openWorld: true },
  payload: PreparePayload,
  event: PrepareEvent,
  result: PrepareResult,
  fold: foldPrepare
})

const GcResult = lazy(() =>
  snakeStruct({
    removed: Schema.Array(Schema.Struct({
      kind: string("Kind of resource, such as `vm`, `memory file` or `evicted template`"),
      what: string("Its pid, id or path")
    })).annotate({ description: "Resources that were removed" }),
    freedBytes: integer("Bytes of disk and memory that were freed"),
    disk: DiskUsage().annotate({ description: "Use of the host's disk afterwards" })
  })
)

export const gc = unary({
  name: "gc",
  summary: "Remove what a crash left behind",
  description:
    "Compares pyro's records with the processes, memory files and directories on this host. Ends and removes those without " +
    "an owner, and lists them. Resources in use stay. Removes the compiled code of other builds of pyro. If the disk budget or the free space demands it, evicts caches that were not used the longest. " +
    "Shows what uses the disk. Running it again is safe.",
  cli: { path: ["gc"], args: [], examples: ["pyro gc"] },
  mcp: { missing: "host administration" },
  errors: ["EnvironmentBuildFailed", "ImageDamaged"],
  annotations: { readOnly: false, destructive: true, idempotent: true, openWorld: false },
  payload: lazy(() => Schema.Struct({})),
  result: GcResult
})

const settingValue = (what: string) =>
  optional(
    Schema.Union([Schema.String, Schema.Number]).annotate({
      description: `${what}, without passwords. Absent if the variable has neither a value nor a default`
    })
  )

const settingSource = (whose: string) =>
  Schema.Literals(["environment", "default"]).annotate({
    description: `\`environment\`: the variable ${whose} is set. \`default\`: it is not, or it is empty`
  })

const Setting = lazy(() =>
  snakeStruct({
    name: string("Environment variable"),
    group: Schema.Literals(["pyro", "host", "testing"]).annotate({
      description: "`pyro`: of pyro alone. `host`: of other programs too. `testing`: of pyro's own tests"
    }),
    value: settingValue("Value of this process"),
    source: settingSource("of this process"),
    daemon: optional(
      snakeStruct({
        value: settingValue("Value of the running daemon"),
        source: settingSource("of the running daemon")
      }).annotate({
        description:
          "What the running daemon has, if this differs. It holds until `pyro daemon stop`. Absent for variables that the daemon does not keep"
      })
    ),
    otherwise: optional(string("Default in words, if it depends on the host")),
    unit: optional(string("Unit of the value")),
    purpose: string("Use of the value"),
    readers: string("Processes that read it")
  })
)

export const ConfigResult = lazy(() =>
  snakeStruct({ settings: Schema.Array(Setting()).annotate({ description: "Every variable that pyro reads" }) })
)
export type ConfigResult = ReturnType<typeof ConfigResult>["Type"]

export const config = unary({
  name: "config",
  summary: "Show the settings, and where they come from",
  description:
    "pyro has no configuration file: each setting is an environment variable or an option. Shows the variables of this process with their values, and where the running daemon has others. " +
    "A running daemon has the values of its start, and `pyro daemon stop` lets the next command start one with the present values. " +
    "docs/configuration.md explains each variable.",
  cli: { path: ["config"], args: [], examples: ["pyro config", "pyro config --json"] },
  mcp: { missing: "host administration" },
  errors: [],
  annotations: { readOnly: true, destructive: false, idempotent: true, openWorld: false },
  payload: lazy(() => Schema.Struct({})),
  result: ConfigResult
})
