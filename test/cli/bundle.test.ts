import * as fs from "node:fs"
import * as path from "node:path"
import { assert, describe, it } from "vitest"

const dist = path.resolve(import.meta.dirname, "../../dist")

/** Sources that the program consists of, relative to the project. */
const sourcesOf = (): ReadonlyArray<string> => {
  const [name] = /main-[0-9a-f]{16}\.cjs/.exec(fs.readFileSync(path.join(dist, "pyro.js"), "utf8"))!
  return JSON.parse(fs.readFileSync(path.join(dist, `${name}.map`), "utf8")).sources
}

describe("the built program", () => {
  it("the built program consists of src and packages alone, without the driver for tests that isolates nothing", () => {
    const sources = sourcesOf()
    assert.include(sources, "src/vm/driver/qemu/vmm.ts")
    assert.deepStrictEqual(sources.filter((source) => !/^(src\/|node_modules\/|unused:)/.test(source)), [])
    assert.deepStrictEqual(sources.filter((source) => /local-agent/.test(source)), [])
  })
})
