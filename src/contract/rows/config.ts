import { Schema } from "effect"
import { optional } from "../text/fields.ts"
import { snakeFields } from "../text/snake.ts"
import { lazy, unary } from "./operation.ts"

const Setting = lazy(() =>
  Schema.Struct(snakeFields({
    name: Schema.String.annotations({ description: "Environment variable" }),
    group: Schema.Literal("pyro", "host", "testing").annotations({
      description: "`pyro`: of pyro alone. `host`: of other programs too. `testing`: of pyro's own tests"
    }),
    value: optional(
      Schema.Union(Schema.String, Schema.Number).annotations({
        description: "Value that holds, without passwords. Absent if the variable has neither a value nor a default"
      })
    ),
    source: Schema.Literal("environment", "default").annotations({
      description: "`environment`: the variable is set. `default`: it is not, or it is empty"
    }),
    otherwise: optional(Schema.String.annotations({ description: "Default in words, if it depends on the host" })),
    unit: optional(Schema.String.annotations({ description: "Unit of the value" })),
    purpose: Schema.String.annotations({ description: "Use of the value" }),
    readers: Schema.String.annotations({ description: "Processes that read it" })
  }))
)

export const ConfigResult = lazy(() =>
  Schema.Struct(snakeFields({
    settings: Schema.Array(Setting()).annotations({ description: "Every variable that pyro reads" })
  }))
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
