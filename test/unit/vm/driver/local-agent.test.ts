import * as fs from "node:fs"
import * as path from "node:path"
import { assert, describe, it } from "vitest"

const sources = path.resolve(import.meta.dirname, "../../../../src")

const filesBeneath = (folder: string): ReadonlyArray<string> =>
  fs.readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const file = path.join(folder, entry.name)
    return entry.isDirectory() ? filesBeneath(file) : [file]
  })

describe("the local agent", () => {
  it("no part of the product selects the local agent, which isolates nothing", () => {
    const selecting = filesBeneath(sources)
      .filter((file) => !file.includes("/driver/local-agent/"))
      .filter((file) => /layerLocalAgent|makeLocalAgentVmm/.test(fs.readFileSync(file, "utf8")))
    assert.deepStrictEqual(selecting.map((file) => path.relative(sources, file)), ["vm/Vmm.ts"])
  })
})
