import { Schema } from "effect"
import { assert, describe, it } from "vitest"
import { AgentPayload } from "../../../src/cli/rows/agent.ts"
import { ServePayload } from "../../../src/cli/rows/rows.ts"
import { issuesOf } from "../../../src/contract/errors/issue.ts"
import type { PureSchema } from "../../../src/contract/rows/operation.ts"
import { operations } from "../../../src/contract/rows/operations.ts"
import { payloadFields } from "../../../src/contract/rows/payload-fields.ts"

/** Items. Every list of strings accepts one of them. */
const samples = ["x", "8080", "8080:80", "enter", "x.example", "NAME", "@x/y=npm", "x.example+pull", "FOO@x.example"]

/** The faults of one field. */
const faultsOf = (payload: PureSchema, field: string, value: unknown) => {
  const decoded = Schema.decodeUnknownResult(payload)({ [field]: value }, { errors: "all" })
  return decoded._tag === "Success" ? [] : issuesOf(decoded.failure).filter(({ path }) => path[0] === field)
}

const rows: ReadonlyArray<readonly [string, PureSchema]> = [
  ...operations.map((row) => [row.name, row.payload() as PureSchema] as const),
  ["mcp.serve", ServePayload()],
  ["agent", AgentPayload()]
]
const lists = rows.flatMap(([row, payload]) =>
  payloadFields(payload).filter(({ kind }) => kind._tag === "list").map(({ name }) => ({ row, name, payload }))
)

describe("a list of a request", () => {
  it("some rows have lists", () => {
    assert.isAbove(lists.length, 30)
  })

  it.each(lists)(
    "$row refuses too many items of $name and an item that is too long, and names the field",
    ({ name, payload }) => {
      const long = faultsOf(payload, name, ["x".repeat(2 * 1024 * 1024)])
      assert.isAbove(long.length, 0, "a long item is accepted")
      if (name === "candidates") return // objects, whose number and bytes have tests of their own
      const sample = samples.find((one) => faultsOf(payload, name, [one]).length === 0)
      assert.isDefined(sample, "no sample is accepted")
      const many = faultsOf(payload, name, Array.from({ length: 100_001 }, () => sample))
      assert.match(
        many.map(({ message }) => message).join(),
        /must have at most|must be at most|at most \d+|different|once/
      )
    }
  )

  it("globs of ignored files fit into the arguments of one process", () => {
    const push = operations.find(({ name }) => name === "workspace.sync.push")!.payload() as PureSchema
    assert.deepStrictEqual(faultsOf(push, "include_ignored", Array.from({ length: 256 }, () => "x".repeat(1024))), [])
    const [many] = faultsOf(push, "include_ignored", Array.from({ length: 257 }, () => "x"))
    assert.strictEqual(many?.message, "must have at most 256 items")
    const [long] = faultsOf(push, "include_ignored", ["x".repeat(1025)])
    assert.deepStrictEqual(long, { path: ["include_ignored", 0], message: "must have at most 1024 characters" })
  })
})
