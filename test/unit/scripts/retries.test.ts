import { spawnSync } from "node:child_process"
import * as path from "node:path"
import { assert, describe, it } from "vitest"

interface Retried {
  readonly name: string
  readonly reason: string
}

const root = path.resolve(import.meta.dirname, "../../..")
const file = "scripts/test/retries.mjs"
const { maximumRetriedTests, retriesReport } = await import(path.join(root, file)) as {
  readonly maximumRetriedTests: number
  readonly retriesReport: (
    retried: ReadonlyArray<Retried>,
    maximum?: number
  ) => { readonly lines: ReadonlyArray<string>; readonly failures: ReadonlyArray<Retried> }
}

const git = (...args: ReadonlyArray<string>) => {
  const { status, stderr, stdout } = spawnSync("git", ["-C", root, ...args], { encoding: "utf8" })
  assert.strictEqual(status, 0, stderr)
  return stdout
}

describe("tests that pass only in their second run", () => {
  const flaky = [{ name: "a.test.ts: waits", reason: "timed out" }, { name: "b.test.ts: asks", reason: "no answer" }]

  it("are named, each with the reason of its first failure", () => {
    assert.deepStrictEqual(retriesReport(flaky).lines, [
      "retried: a.test.ts: waits: timed out",
      "retried: b.test.ts: asks: no answer"
    ])
    assert.deepStrictEqual(retriesReport([]), { lines: [], failures: [] })
  })

  it("fail a run that has more of them than the maximum", () => {
    assert.deepStrictEqual(retriesReport(flaky, 2).failures, [])
    assert.strictEqual(retriesReport(flaky, 1).failures.length, 1)
    assert.match(retriesReport(flaky, 1).failures[0]!.reason, /^2 tests passed only in their second run, and 1 may/)
  })

  it("have a maximum that never rises from one commit to a later one", () => {
    const earlier = git("log", "--format=%H", "--", file).split("\n").filter((commit) => commit !== "").map(
      (commit) => {
        const [, maximum] = /^export const maximumRetriedTests = (\d+)$/m.exec(git("show", `${commit}:${file}`)) ?? []
        assert.isDefined(maximum, `${file} of ${commit} has no maximum`)
        return Number(maximum)
      }
    )
    // The newest commit comes first, and the work tree before all commits.
    const numbers = [maximumRetriedTests, ...earlier]
    assert.deepStrictEqual(numbers, [...numbers].sort((one, other) => one - other))
  })
})
