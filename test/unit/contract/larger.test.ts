import { assert, describe, it } from "vitest"
import type { ExportRefused } from "../../../src/contract/errors/errors.ts"
import { option, words } from "../../../src/contract/errors/next-step.ts"
import { allowing, fewerEntries } from "../../../src/contract/rows/larger.ts"
import { TreeCollector } from "../../../src/lib/exporting/tree.ts"
import { payload, someEntry } from "../workspace/content/export/fake-guest.ts"

describe("the steps after a copy that is too large", () => {
  it("an option is named with a value that the option takes, and else a smaller copy", () => {
    assert.deepStrictEqual(allowing("Less", "max_mib", 16_777_216), option("Allow more", "max_mib", 16_777_216))
    assert.deepStrictEqual(allowing("Less", "max_mib", 16_777_217), words("Less"))
    assert.deepStrictEqual(allowing("Less", "max_entries", 1_000_001), words("Less"))
    assert.deepStrictEqual(fewerEntries("Less", 999_999), [words("Less"), option("Or allow more", "max_entries")])
    assert.deepStrictEqual(fewerEntries("Less", 1_000_000), [words("Less")])
  })

  it("an export whose names are too long names no option, because none allows longer names", () => {
    const collector = new TreeCollector({ path: "", type: "directory", mode: 0o755, size: 0 }, payload({}))
    const add = (name: string, type: "directory" | "file") =>
      collector.add({ ...someEntry, type, path: Buffer.from(name) })
    let directory = ""
    for (const letter of ["w", "x", "y", "z"]) {
      directory += `${directory === "" ? "" : "/"}${letter.repeat(250)}`
      assert.isUndefined(add(directory, "directory"))
    }
    let refused: ExportRefused | undefined
    for (let i = 0; refused === undefined && i < 90_000; i++) refused = add(`${directory}/${i}`, "file")
    assert.deepInclude(refused, {
      detail: "it has more than 67108864 bytes of names",
      next: [words("Export less of it")]
    })
  })
})
