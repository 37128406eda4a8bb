import { type Schema, SchemaAST, SchemaIssue } from "effect"
import { InvalidRequest } from "./errors.ts"

/** A fault of some input: the JSON path of the field and one sentence. */
export interface Issue {
  readonly path: ReadonlyArray<PropertyKey>
  readonly message: string
}

const format = SchemaIssue.makeFormatterStandardSchemaV1({
  leafHook: (issue) => {
    switch (issue._tag) {
      case "MissingKey":
        return "is missing"
      case "UnexpectedKey":
        return `is unexpected, expected: ${namesOf(issue.ast).map((name) => JSON.stringify(name)).join(" | ")}`
      default:
        return SchemaIssue.defaultLeafHook(issue)
    }
  }
})

const namesOf = (ast: SchemaAST.AST) => SchemaAST.isObjects(ast) ? ast.propertySignatures.map(({ name }) => name) : []

const expectation = /^Expected (.+), got (.+)$/s

/** All faults, field by field, with one for each choice of a field. They have the given value if the input was decoded with `reportInput`. */
export const issuesOf = ({ issue }: Schema.SchemaError): ReadonlyArray<Issue> =>
  distinct(
    format(issue).issues.flatMap(({ message, path: steps = [] }) => {
      const path = steps.map((step) => typeof step === "object" ? step.key : step)
      const [, expected = "", actual] = expectation.exec(message) ?? []
      return actual === undefined
        ? [{ path, message }]
        : expected.split(" | ").map((one) => ({ path, message: `Expected ${one}, actual ${actual}` }))
    })
  )

/** Removes repeated sentences: several checks of a value may have the same. */
const distinct = (
  issues: ReadonlyArray<Issue>
): ReadonlyArray<Issue> => [...new Map(issues.map((issue) => [JSON.stringify(issue), issue])).values()]

const choice = /^Expected (.+), actual (.+)$/s

/** The first fault. For a field with choices, it names all of them. */
export const firstIssue = (error: Schema.SchemaError): Issue => {
  const issues = issuesOf(error)
  const [first] = issues
  if (first === undefined) return { path: [], message: error.message }
  const where = JSON.stringify(first.path)
  const choices = issues.filter(({ path }) => JSON.stringify(path) === where).map(({ message }) => choice.exec(message))
  const expected = [...new Set(choices.flatMap((found) => found === null ? [] : [found[1]!]))]
  const actual = choices[0]?.[2]
  return expected.length < 2 || choices.includes(null)
    ? first
    : { path: first.path, message: `Expected ${expected.join(" or ")}, actual ${actual}` }
}

/** The error of a request that a Schema refuses. `nameOf` gives the JSON name of a step of the path. */
export const invalidRequest = (
  error: Schema.SchemaError,
  nameOf: (step: string) => string = (step) => step
): InvalidRequest => {
  const { message, path } = firstIssue(error)
  return new InvalidRequest({ field: path.map((step) => nameOf(String(step))).join("."), detail: message })
}
