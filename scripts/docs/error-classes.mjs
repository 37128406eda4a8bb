import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { fieldLines } from "./shapes.mjs"

/**
 * src/sdk/promises/errors.ts: the classes of the contract's errors for `pyro/promises`, whose declarations import nothing.
 */
export const errorClasses = (contract, root) => {
  const texts = commentsOf(root)
  const classes = contract.PyroError.members.map(({ to: error }) => ({
    name: error.identifier,
    codes: error.codes ?? [error.prototype.code],
    fields: contract.SchemaAST.toType(error.ast)
  }))
  const codes = classes.flatMap(({ codes }) => codes).sort()
  return [
    "// Generated from src/contract/errors by: node scripts/docs.mjs",
    `import * as contract from "../../contract/errors/errors.ts"`,
    `import { type ErrorClass, type PyroError, asErrorClass } from "./error-class.ts"\n`,
    "/** The code of an error of pyro. */",
    `export type ErrorCode =\n${codes.map((code) => `  | "${code}"`).join("\n")}\n`,
    ...classes.map(({ codes, fields, name }) =>
      [
        `/** ${texts.get(name)?.doc ?? `The error \`${codes[0]}\`.`} */`,
        `export interface ${name} extends PyroError {`,
        `  readonly _tag: "${name}"`,
        `  readonly code: ${codes.map((code) => JSON.stringify(code)).join(" | ")}`,
        ...fieldLines(contract, structOf(contract, fields), "  ", texts.get(name)?.fields, ["next"]),
        "}",
        `export const ${name}: ErrorClass<${name}> = asErrorClass(contract.${name})\n`
      ].join("\n")
    )
  ].join("\n")
}

/** The fields of a class of Schema, which is a declaration over its struct. */
const structOf = ({ SchemaAST }, ast) => SchemaAST.isDeclaration(ast) ? ast.typeParameters[0] : ast

/** Comments of the classes and of their fields, which no Schema has. */
const commentsOf = (root) => {
  const folder = join(root, "src/contract/errors")
  const found = new Map()
  for (const file of readdirSync(folder)) {
    const source = readFileSync(join(folder, file), "utf8")
    for (
      const [, doc, name, body] of source.matchAll(/(?:\/\*\*((?:(?!\*\/)[^])*)\*\/\n)?export class (\w+) ([^]*?)^\}/gm)
    ) {
      const fields = [...body.matchAll(/\/\*\* (.*?) \*\/\s*(\w+): /g)].map(([, text, field]) => [field, text])
      found.set(name, { doc: doc?.replace(/\s*\n \*\s*/g, " ").trim(), fields: new Map(fields) })
    }
  }
  return found
}
