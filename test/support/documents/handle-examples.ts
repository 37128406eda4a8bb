import { connect, labelOf, type PyroClient, PyroError, type Workspace } from "../../../src/sdk/connect.ts"
import { documentedNames } from "./handle-docs.ts"

type Example = (pyro: PyroClient, ws: Workspace, given: object) => Promise<void>

/** An example as a function. Examples are JavaScript, too. It names a `process` whose output nobody sees. */
const functionOf = (example: string): Example => {
  const values = ["connect", "labelOf", "PyroError", "process", "console"]
  const shadowed = (name: string) => new RegExp(`(const|using) ${name} =`).test(example)
  const given = (name: string) => shadowed(name) ? "" : `const ${name} = __${name};`
  const AsyncFunction = (async () => {}).constructor as new(...args: ReadonlyArray<string>) => Example
  return new AsyncFunction(
    "__pyro",
    "__ws",
    `{${values.join(",")}}`,
    `${given("pyro")}${given("ws")}{${example}}`
  )
}

const silent = { write: () => true }
const surroundings = {
  connect,
  labelOf,
  PyroError,
  process: { stdout: silent, stderr: silent },
  console: { log: () => {}, error: () => {} }
}

/** Runs an example of a docstring, which has a client and a workspace. */
export const runExample = (example: string, pyro: PyroClient, ws: Workspace) =>
  functionOf(example)(pyro, ws, surroundings)

/** The example of a public name of `pyro/promises`. */
export const exampleOf = (wanted: string) => {
  const example = documentedNames.find(({ name }) => name === wanted)?.example
  if (example === undefined) throw new Error(`the docstring of ${wanted} has no example`)
  return example
}
