import * as fs from "node:fs"
import * as path from "node:path"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { connect, labelOf, type PyroClient, PyroError, type Workspace } from "../../src/sdk/connect.ts"
import { documentedNames } from "../support/handle-docs.ts"
import { installation } from "../support/installation.ts"

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

describe("the docstrings of pyro/promises in a real microVM", () => {
  const own = installation("pyro-handle-docs-")
  const before = process.env["PYRO_STATE_DIR"]
  const seed = path.join(own.folder, "seed")
  let pyro: PyroClient
  let ws: Workspace
  beforeAll(async () => {
    Object.assign(process.env, { PYRO_STATE_DIR: own.state, PYRO_REWIND_MIB: "2048", PYRO_REWIND_EVERY_MS: "0" })
    fs.mkdirSync(seed, { recursive: true })
    fs.mkdirSync(path.join(own.folder, "shop"))
    fs.writeFileSync(path.join(own.folder, "shop/pyro.toml"), "memory = 256\n")
    pyro = connect()
    ws = await pyro.create({ name: "fix", memoryMib: 256, networkPolicy: "egress+published-ports" })
    await ws.files.write("test_example.py", "import unittest\n")
  })
  afterAll(async () => {
    await pyro.close()
    if (before === undefined) delete process.env["PYRO_STATE_DIR"]
    else process.env["PYRO_STATE_DIR"] = before
    await own.close()
  })

  const runnable = documentedNames.filter(({ example }) => example !== undefined)
  /** Without what an example leaves in this directory, and with a small microVM. */
  const adapted = (example: string) =>
    example
      .replaceAll("\"./", `"${own.folder}/`)
      .replaceAll("ws.push(\".\")", `ws.push(${JSON.stringify(seed)})`)
      .replaceAll("seedPath: \".\"", `seedPath: ${JSON.stringify(seed)}, memoryMib: 256`)
  it.each(runnable.map(({ example = "", name }) => [name, example] as const))(
    "the example of %s runs",
    async (_, example) => {
      await functionOf(adapted(example))(pyro, ws, surroundings)
    }
  )

  it("all examples ran", () => assert.isAbove(runnable.length, 50))
})
