import * as path from "node:path"
import { assert, describe, it } from "vitest"

const { slowestReport } = await import(path.resolve(import.meta.dirname, "../../../scripts/test/slowest.mjs")) as {
  readonly slowestReport: (
    files: ReadonlyArray<{ readonly name: string; readonly ms: number }>,
    count?: number
  ) => ReadonlyArray<string>
}

describe("the slowest files of a run", () => {
  const files = [{ name: "a.test.ts", ms: 2000 }, { name: "b.test.ts", ms: 90_000 }, { name: "c.test.ts", ms: 4000 }]

  it("are named, the slowest first", () => {
    assert.deepStrictEqual(slowestReport(files, 2).map((line) => line.split(": ").slice(0, 2)), [
      ["slow", "b.test.ts"],
      ["slow", "c.test.ts"]
    ])
  })

  it("are ten at most", () => {
    const many = Array.from({ length: 12 }, (_, at) => ({ name: `${at}.test.ts`, ms: at * 1000 }))
    const lines = slowestReport(many)
    assert.strictEqual(lines.length, 10)
    assert.match(lines[0]!, /^slow: 11\.test\.ts: /)
    assert.match(lines[9]!, /^slow: 2\.test\.ts: /)
  })
})
