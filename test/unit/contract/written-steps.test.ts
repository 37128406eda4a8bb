import * as fs from "node:fs"
import * as path from "node:path"
import ts from "typescript"
import { assert, describe, it } from "vitest"
import { operations } from "../../../src/contract/rows/operations.ts"
import { payloadFields } from "../../../src/contract/rows/payload-fields.ts"

/** A step as the source has it: errors, notices and hints alike. */
interface Written {
  readonly at: string
  readonly operation: string
  readonly fields: ReadonlyArray<string>
  /** Whether all names of its arguments stand in the source. */
  readonly whole: boolean
}

const namesOf = (
  given: ts.Expression | undefined
): { readonly names: ReadonlyArray<string>; readonly whole: boolean } => {
  if (given === undefined) return { names: [], whole: true }
  if (!ts.isObjectLiteralExpression(given)) return { names: [], whole: false }
  const names = given.properties.flatMap(({ name }) =>
    name !== undefined && (ts.isIdentifier(name) || ts.isStringLiteral(name)) ? [name.text] : []
  )
  return { names, whole: names.length === given.properties.length }
}

const stepsOf = (file: string): ReadonlyArray<Written> => {
  const text = fs.readFileSync(file, "utf8")
  if (!/import \{[^}]*\bcall\b[^}]*\} from "[^"]*next-step\.ts"/.test(text) && !file.endsWith("contract-error.ts")) {
    return []
  }
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true)
  const found: Array<Written> = []
  const visit = (node: ts.Node): void => {
    if (ts.isCallExpression(node) && node.expression.getText() === "call") {
      const [, operation, given, ...choose] = node.arguments
      if (operation !== undefined && ts.isStringLiteral(operation)) {
        const { names, whole } = namesOf(given)
        const chosen = choose.flatMap((one) => ts.isStringLiteral(one) ? [one.text] : [])
        found.push({
          at: `${file}:${source.getLineAndCharacterOfPosition(node.getStart()).line + 1}`,
          operation: operation.text,
          fields: [...names, ...chosen],
          whole: whole && chosen.length === choose.length
        })
      }
    }
    ts.forEachChild(node, visit)
  }
  visit(source)
  return found
}

const steps = fs.readdirSync("src", { recursive: true, encoding: "utf8" })
  .filter((file) => file.endsWith(".ts"))
  .flatMap((file) => stepsOf(path.join("src", file)))

describe("the calls that the source offers as next steps", () => {
  it("are many", () => assert.isAbove(steps.length, 80))

  it.each(steps)(
    "$at calls $operation by the names of its arguments, and leaves none out",
    ({ fields, operation, whole }) => {
      const row = operations.find(({ name }) => name === operation)
      assert.isDefined(row)
      const known = payloadFields(row!.payload())
      assert.includeMembers(known.map(({ name }) => name), [...fields])
      // The workspace of the failed call is filled in.
      const needed = known.filter(({ name, required }) => required && name !== "workspace").map(({ name }) => name)
      if (whole) assert.includeMembers([...fields], needed)
    }
  )
})
