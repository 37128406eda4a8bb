import { ParseResult } from "effect"

/** What is wrong with some input: of the first field that is, the JSON path and one sentence. */
export interface Issue {
  readonly path: ReadonlyArray<PropertyKey>
  readonly message: string
}

const choice = /^Expected (.+), actual (.+)$/s

/** Of a field with some choices all of them are told, not the first alone. */
export const firstIssue = (error: Schema.SchemaError): Issue => {
  const issues = ParseResult.ArrayFormatter.formatErrorSync(error)
  const [first] = issues
  if (first === undefined) return { path: [], message: error.message }
  const where = JSON.stringify(first.path)
  const choices = issues.filter(({ path }) => JSON.stringify(path) === where).map(({ message }) => choice.exec(message))
  const expected = [...new Set(choices.flatMap((found) => found === null ? [] : [found[1]!]))]
  const actual = choices[0]?.[2]
  return expected.length < 2 || choices.includes(null)
    ? { path: first.path, message: first.message }
    : { path: first.path, message: `Expected ${expected.join(" or ")}, actual ${actual}` }
}
