import { assert, describe, it } from "vitest"
import { EnvironmentSummary } from "../../../src/contract/rows/environment.ts"
import { operations } from "../../../src/contract/rows/operations.ts"
import { payloadFields } from "../../../src/contract/rows/payload-fields.ts"

/** Operations whose answers have content of a workspace that the filter of answers does not search. */
const READING = ["workspace.disk.read", "workspace.file.download", "workspace.file.read"]

/** Operations without content of a workspace: an environment of one was made with a person's word. */
const OF_NO_WORKSPACE = ["env.build", "env.export", "env.import", "env.inspect", "env.pull"]

const fieldsOf = (row: typeof operations[number]) => payloadFields(row.payload()).map(({ name }) => name)

describe("ways out of a workspace", () => {
  const ways = operations.filter((row) =>
    READING.includes(row.name) || !OF_NO_WORKSPACE.includes(row.name) && (
        row.cli.hostPaths?.includes("output") === true ||
        row.result === EnvironmentSummary
      )
  )

  it("each one that takes files, a disk or a root refuses the values of secrets, unless a person allows them", () => {
    assert.deepStrictEqual(ways.filter((row) => !fieldsOf(row).includes("allow_secrets")).map(({ name }) => name), [])
    assert.includeMembers(ways.map(({ name }) => name), [
      "saved.export",
      "workspace.commit",
      "workspace.disk.export",
      "workspace.export"
    ])
  })

  it("no model can allow the values", () => {
    for (const { mcp, name } of operations) {
      if ("arguments" in mcp) assert.notProperty(mcp.arguments, "allow_secrets", name)
    }
  })
})
