import { Schema, SchemaAST } from "effect"
import { assert, describe, it } from "vitest"
import type { PureSchema } from "../../../src/contract/rows/operation.ts"
import { operations } from "../../../src/contract/rows/operations.ts"
import { payloadOf } from "../../../src/contract/rows/payload-of.ts"
import { camelCase } from "../../../src/sdk/model/options.ts"

/** JSON values of which one fits each required field. */
const values: ReadonlyArray<unknown> = ["x", 1, "1", ["x"], "755", "0".repeat(32), "allow", [{ command: "x" }]]

/** A payload with the required fields alone, as JSON. */
const leastOf = ({ ast }: PureSchema) => {
  const encoded = SchemaAST.toEncoded(ast)
  const fields = SchemaAST.isObjects(encoded) ? encoded.propertySignatures : []
  return Object.fromEntries(
    fields.filter(({ type }) => !SchemaAST.isOptional(type))
      .map(({ name, type }) => [String(name), values.find(Schema.is(Schema.make(type)))])
  )
}

describe("a payload that pyro makes itself", () => {
  it.each(operations.map((row) => [row.name, row] as const))(
    "%s has the defaults that a request without them gets",
    (name, row) => {
      const schema = row.payload() as PureSchema
      const least = leastOf(schema)
      const decoded = Schema.decodeUnknownSync(schema)(least) as Record<string, unknown>
      const given = Object.fromEntries(Object.keys(least).map((field) => [camelCase(field), decoded[camelCase(field)]]))
      assert.deepStrictEqual<unknown>(payloadOf(name, given as never), decoded)
    }
  )

  it("a given field wins over its default, and an optional field without a default stays absent", () => {
    const payload = payloadOf("workspace.export", { workspace: "fix", patch: true, maxMib: 1 })
    assert.isTrue(payload.patch)
    assert.strictEqual(payload.maxMib, 1)
    assert.strictEqual(payload.maxEntries, 100_000)
    assert.notProperty(payload, "output")
  })

  it("a required field must be given", () => {
    // @ts-expect-error: no workspace
    payloadOf("workspace.export", {})
  })
})
