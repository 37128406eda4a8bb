import { SchemaAST } from "effect"
import { assert, describe, it } from "vitest"
import type { PureSchema } from "../../../src/contract/rows/operation.ts"
import { operations } from "../../../src/contract/rows/operations.ts"

/** A field of a schema, nested ones as `outer.inner` and `list[].inner`, with its description. */
interface Field {
  readonly path: string
  readonly description: string
}

const descriptionOf = (ast: SchemaAST.AST): string =>
  SchemaAST.resolveDescription(ast) ?? SchemaAST.resolveDescription(SchemaAST.toEncoded(ast)) ?? ""

const walk = (ast: SchemaAST.AST, path: string): ReadonlyArray<Field> => {
  switch (ast._tag) {
    case "Union":
      return ast.types.flatMap((one) => walk(one, path))
    case "Arrays":
      return ast.rest.flatMap((type) => walk(type, `${path}[]`))
    case "Objects":
      return ast.propertySignatures.filter(({ name }) => name !== "_tag").flatMap(({ name, type }) => {
        const inner = path === "" ? String(name) : `${path}.${String(name)}`
        return [{ path: inner, description: descriptionOf(type) }, ...walk(type, inner)]
      })
    default:
      return []
  }
}

const fieldsOf = (schema: PureSchema) => walk(schema.ast, "")

/** Effect describes a bare type as "a string"; such a description says nothing about the field. */
const isMissing = ({ description }: Field) => description === "" || /^an? [a-z]+$/.test(description)

const schemas = operations.flatMap((row) => [
  { name: `${row.name} request`, schema: row.payload() as PureSchema },
  { name: `${row.name} result`, schema: row.result() as PureSchema },
  ...(row.kind === "streaming" ? [{ name: `${row.name} event`, schema: row.event() as PureSchema }] : [])
])

describe("public fields", () => {
  it("every field of every request, result and event has a description", () => {
    const missing = schemas.flatMap(({ name, schema }) =>
      fieldsOf(schema).filter(isMissing).map(({ path }) => `${name}: ${path}`)
    )
    assert.deepStrictEqual(missing, [])
  })
})
