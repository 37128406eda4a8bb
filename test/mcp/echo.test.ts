import { assert, describe, it } from "vitest"
import type { JsonSchema } from "../../src/mcp/json-schema.ts"
import { profileTools } from "../../src/mcp/tool-table.ts"
import { call, fakePyro, textOf } from "./fakes.ts"

/** A value of a schema that names its argument. */
const valueOf = (name: string, { enum: choices, items, type }: JsonSchema): unknown => {
  if (choices !== undefined) return choices[0]
  switch (type) {
    case "integer":
    case "number":
      return 7
    case "boolean":
      return false
    case "array":
      return [valueOf(name, items ?? { type: "string" })]
    case "object":
      return { KEY: `sent-${name}-${"y".repeat(20)}` }
    default:
      return `sent-${name}-${"x".repeat(20)}`
  }
}

const withArguments = profileTools("full")
  .map(({ listed }) => [listed.name, listed.inputSchema.properties ?? {}] as const)
  .filter(([, properties]) => Object.keys(properties).length > 0)

describe.each(withArguments)(
  "an error of %s",
  (tool, properties) => {
    const all = Object.fromEntries(Object.entries(properties).map(([name, schema]) => [name, valueOf(name, schema)]))

    it.each(Object.keys(properties))("an error about %s repeats no other argument", async (name) => {
      for (const wrong of [{ odd: { deep: "sent-wrong" } }, -5, "", "w".repeat(100_000), ["sent-list"]]) {
        const text = textOf(await call(fakePyro({}), tool, { ...all, [name]: wrong }))
        for (const other of Object.keys(properties)) {
          // The error is about the first that is wrong, which may be another: its own value it may tell, in short.
          const [, about = ""] = /^\w+: (\w+)/.exec(text) ?? []
          if (other !== about) assert.notInclude(text, `sent-${other}-`, `${tool} ${name}`)
        }
        assert.isAtMost(text.length, 1_000, `${tool} ${name}: ${text.slice(0, 200)}`)
      }
    })
  }
)
