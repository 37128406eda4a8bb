import type { JsonSchema } from "../../src/mcp/json-schema.ts"
import type { ProfileTool } from "../../src/mcp/tool-table.ts"

/** A value that an argument takes: the least that its schema and its row's checks let pass. */
export const valueFor = (
  name: string,
  { additionalProperties, anyOf, enum: choices, items, type }: JsonSchema
): unknown => {
  if (choices !== undefined) return choices[0]
  if (anyOf !== undefined) return valueFor(name, anyOf[0]!)
  switch (type) {
    case "array":
      return [valueFor(name, items ?? {})]
    case "object":
      return typeof additionalProperties === "object" ? { x: valueFor(name, additionalProperties) } : {}
    case "boolean":
      return true
    case "integer":
    case "number":
      return 1
    default:
      return name === "exec_id" ? "0".repeat(32) : name === "port" ? "8080" : "x"
  }
}

/** Arguments with which a tool begins its work: those that it needs, and `more`. */
export const argumentsFor = (
  { args }: ProfileTool,
  more: Readonly<Record<string, unknown>> = {}
): Readonly<Record<string, unknown>> => {
  const wanted: Record<string, unknown> = { ...more }
  for (const { fixed, name, others, required, schema } of args) {
    if (fixed !== undefined || name in wanted) continue
    const isFirstOfOthers = others !== undefined && others.every((one) => !(one in wanted))
    const isPlace = name === "path" || name === "source_path"
    if (required || isFirstOfOthers || isPlace) wanted[name] = valueFor(name, schema)
  }
  return wanted
}
