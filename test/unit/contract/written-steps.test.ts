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

interface Made {
  readonly at: string
  readonly arguments: ReadonlyArray<ts.Expression>
}

/** The uses of a function of next-step.ts in a file. */
const usesOf = (name: "call" | "option", file: string): ReadonlyArray<Made> => {
  const text = fs.readFileSync(file, "utf8")
  const imports = new RegExp(String.raw`import \{[^}]*\b${name}\b[^}]*\} from "[^"]*next-step\.ts"`)
  if (!imports.test(text)) return []
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true)
  const found: Array<Made> = []
  const visit = (node: ts.Node): void => {
    if (ts.isCallExpression(node) && node.expression.getText() === name) {
      const at = `${file}:${source.getLineAndCharacterOfPosition(node.getStart()).line + 1}`
      found.push({ at, arguments: node.arguments })
    }
    ts.forEachChild(node, visit)
  }
  visit(source)
  return found
}

const files = fs.readdirSync("src", { recursive: true, encoding: "utf8" })
  .filter((file) => file.endsWith(".ts"))
  .map((file) => path.join("src", file))

const steps: ReadonlyArray<Written> = files.flatMap((file) => usesOf("call", file)).flatMap(
  ({ arguments: [, operation, given, ...choose], at }) => {
    if (operation === undefined || !ts.isStringLiteral(operation)) return []
    const { names, whole } = namesOf(given)
    const chosen = choose.flatMap((one) => ts.isStringLiteral(one) ? [one.text] : [])
    const isWhole = whole && chosen.length === choose.length
    return [{ at, operation: operation.text, fields: [...names, ...chosen], whole: isWhole }]
  }
)

const options = files.flatMap((file) => usesOf("option", file)).flatMap(({ arguments: [, field], at }) =>
  field !== undefined && ts.isStringLiteral(field) ? [{ at, field: field.text }] : []
)

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

describe("the options that the source offers as next steps", () => {
  const known = new Set(operations.flatMap(({ payload }) => payloadFields(payload()).map(({ name }) => name)))

  it("are many", () => assert.isAbove(options.length, 40))

  it.each(options)("$at names the argument $field of some call", ({ field }) => assert.isTrue(known.has(field)))
})
