import { assert, describe, it } from "vitest"
import { help } from "../../../src/cli/help/help.ts"
import { commands } from "../../../src/cli/rows/rows.ts"
import type { CliSurface } from "../../../src/contract/rows/operation.ts"
import { payloadFields } from "../../../src/contract/rows/payload-fields.ts"

describe("the words of a help", () => {
  it.each(commands.map((row) => [row.cli.path.join(" "), row] as const))(
    "the help of %s names the options of its command as they are typed",
    (_, row) => {
      const { args, argsOrFlags = [], rest = "" }: CliSurface = row.cli
      const text = help(row.cli.path)
      const named = payloadFields(row.payload()).map(({ name }) => name).filter((name) =>
        // The usage has the places of operands by the names of their fields.
        ![...args, ...argsOrFlags, rest].includes(name) &&
        // A field of one word is a field where it stands in backticks.
        (text.includes(`\`${name}\``) || (name.includes("_") && new RegExp(`\\b${name}\\b`).test(text)))
      )
      assert.deepStrictEqual(named, [])
    }
  )
})
