import { Schema } from "effect"
import { optional } from "../text/fields.ts"
import { snakeStruct } from "../text/snake.ts"
import { lazy, unary } from "./operation.ts"

const Setting = lazy(() =>
  snakeStruct({
    name: Schema.String.annotate({ description: "Environment variable" }),
    group: Schema.Literals(["pyro", "host", "testing"]).annotate({
      description: "`pyro`: of pyro alone. `host`: of other programs too. `testing`: of pyro's own tests"
    }),
    value: optional(
      Schema.Union([Schema.String, Schema.Number]).annotate({
        description: "Value that holds, without passwords. Absent if the variable has neither a value nor a default"
      })
    ),
    source: Schema.Literals(["environment", "default"]).annotate({
      description: "`environment`: the variable is set. `default`: it is not, or it is empty"
    }),
    otherwise: optional(Schema.String.annotate({ description: "Default in words, if it depends on the host" })),
    unit: optional(Schema.String.annotate({ description: "Unit of the value" })),
    purpose: Schema.String.annotate({ description: "Use of the value" }),
    readers: Schema.String.annotate({ description: "Processes that read it" })
  })
)

export const ConfigResult = lazy(() =>
  snakeStruct({
    settings: Schema.Array(Setting()).annotate({ description: "Every variable that pyro reads" })
  })
)
export type ConfigResult = ReturnType<typeof ConfigResult>["Type"]

export const config = unary({
  name: "config",
  summary: "Show the settings, and where they come from",
  description:
    "pyro has no configuration file: each setting is an environment variable or an option. Shows the variables of this process with their values. " +
    "A running daemon has the values of its start, and `pyro daemon stop` lets the next command start one with the present values. " +
    "docs/configuration.md explains each variable.",
  cli: { path: ["config"], args: [], exits: "own", examples: ["pyro config", "pyro config --json"] },
  mcp: { missing: "host administration" },
  annotations: { readOnly: true, destructive: false, idempotent: true, openWorld: false },
  payload: lazy(() => Schema.Struct({})),
  result: ConfigResult
})
