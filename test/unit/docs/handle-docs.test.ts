import { assert, describe, it } from "vitest"
import { documentedNames } from "../../support/documents/handle-docs.ts"
import { complaintsOf } from "../../support/package/compiled.ts"

/** What an example may use without a declaration. */
const around = (example: string) =>
  `import { connect, labelOf, PyroError, type PyroClient, type Workspace } from "pyro/promises"
declare const given: { readonly pyro: PyroClient; readonly ws: Workspace }
export const example = async (${
    ["pyro", "ws"].filter((name) => !example.includes(`const ${name} =`) && !example.includes(`using ${name} =`)).map((
      name
    ) => `${name} = given.${name}`).join(", ")
  }) => {
${example}
}
void PyroError
void connect
void labelOf
`

describe("the docstrings of pyro/promises", () => {
  it("every public name has a docstring of whole sentences", () => {
    const bare = documentedNames.filter(({ text }) => !/^(pyro |[A-Z`])[^]*\.$/.test(text.trim())).map(({ name }) =>
      name
    )
    assert.deepStrictEqual(bare, [])
    assert.isAbove(documentedNames.length, 100)
  })

  it("every call has an example", () => {
    const without = documentedNames.filter(({ example, isCall }) => isCall && example === undefined)
    assert.deepStrictEqual(without.map(({ name }) => name), [])
    assert.isAbove(documentedNames.filter(({ isCall }) => isCall).length, 50)
  })

  it("every example compiles against the library", () => {
    const examples = documentedNames.flatMap(({ example, name }) =>
      example === undefined ? [] : [[`${name}.ts`, around(example)] as const]
    )
    assert.isAbove(examples.length, 50)
    assert.deepStrictEqual(complaintsOf(new Map(examples)), [])
  }, 120_000)
})
