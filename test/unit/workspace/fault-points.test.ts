import * as fs from "node:fs"
import * as path from "node:path"
import { assert, describe, it } from "vitest"
import { crashPoints } from "../../../src/workspace/life/engine/description.ts"
import { points } from "../../support/lifecycle/fault-points.ts"

const sources = path.resolve(import.meta.dirname, "../../../src")

const sourceFiles = (folder: string): ReadonlyArray<string> =>
  fs.readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const file = path.join(folder, entry.name)
    return entry.isDirectory() ? sourceFiles(file) : file.endsWith(".ts") ? [file] : []
  })

describe("the list of fault points", () => {
  it("the list of fault points has every point of the sources", () => {
    const named = sourceFiles(sources).flatMap((file) =>
      [...fs.readFileSync(file, "utf8").matchAll(/faultPoint\("([^"]+)"\)/g)].map(([, name]) => name!)
    )
    const ofEngine = Object.entries(crashPoints).flatMap(([name, steps]) => steps.map((step) => `${name}:${step}`))
    assert.deepStrictEqual([...named, ...ofEngine].sort(), Object.keys(points).sort())
  })
})
