import { assert, describe, it } from "vitest"
import type { CandidateResult } from "../../../../src/contract/rows/workspace-try-fields.ts"
import { becauseOf, bestOf, isBetter } from "../../../../src/workspace/operations/try/best.ts"
import { Tail, TAIL_BYTES } from "../../../../src/workspace/operations/try/tail.ts"

const result = (name: string, more: Partial<CandidateResult> = {}): CandidateResult => ({
  name,
  outcome: "passed",
  durationMs: 1,
  tail: "",
  truncated: false,
  ...more
})
const tests = (passed: number, failed: number) => ({ tests: { format: "tap", passed, failed, skipped: 0 } } as const)
const diff = (files: number, additions: number) => ({ diff: { files, additions, deletions: 0 } })

describe("the best candidate", () => {
  it.each([
    ["passes", result("a"), result("b", { outcome: "failed", ...tests(100, 1), ...diff(0, 0) })],
    ["has more tests that pass", result("a", { ...tests(6, 3), ...diff(9, 9) }), result("b", tests(5, 0))],
    ["has fewer tests that fail", result("a", { ...tests(5, 1), ...diff(9, 9) }), result("b", tests(5, 2))],
    ["has fewer changed lines", result("a", diff(9, 1)), result("b", diff(1, 2))],
    ["has fewer changed files", result("a", diff(1, 2)), result("b", diff(2, 2))],
    ["has a known diff", result("a", diff(900, 900)), result("b")]
  ])("the one that %s is better", (_, one, other) => {
    assert.isTrue(isBetter(one, other))
    assert.isFalse(isBetter(other, one))
    assert.strictEqual(bestOf([other, one])?.name, one.name)
  })

  it("the first of equal ones is the best, and one that was not judged is none", () => {
    assert.strictEqual(bestOf([result("a"), result("b")])?.name, "a")
    const unjudged = (["patch_refused", "error", "stopped", "not_started"] as const)
      .map((outcome) => result(outcome, { outcome }))
    assert.isUndefined(bestOf(unjudged))
    assert.strictEqual(bestOf([...unjudged, result("late", { outcome: "timed_out" })])?.name, "late")
  })
})

describe("the reason for the best candidate", () => {
  const because = (...results: ReadonlyArray<CandidateResult>) => becauseOf(results, bestOf(results)!)
  it.each([
    ["no other candidate ran to its end", [result("a"), result("b", { outcome: "patch_refused" })]],
    ["it passed, and b did not", [result("a"), result("b", { outcome: "failed", ...tests(9, 1) })]],
    ["both passed; 12 tests passed, and 11 in b", [result("a", tests(12, 0)), result("b", tests(11, 0))]],
    [
      "neither passed; 5 tests passed in each; 1 test failed, and 2 in b",
      [result("a", { outcome: "failed", ...tests(5, 1) }), result("b", { outcome: "failed", ...tests(5, 2) })]
    ],
    [
      "both passed; 12 tests passed in each; 0 failed in each; the smaller diff: 1 line changed, and 7 in b",
      [
        result("a", { ...tests(12, 0), ...diff(1, 1) }),
        result("b", { ...tests(12, 0), ...diff(1, 7) }),
        result("c", { ...tests(12, 0), ...diff(1, 9) })
      ]
    ],
    [
      "both passed; 7 lines changed in each; the smaller diff: 1 file changed, and 2 in b",
      [result("b", diff(2, 7)), result("a", diff(1, 7))]
    ],
    ["both passed; the changes of b are unknown", [result("a", diff(3, 3)), result("b")]],
    ["both passed; 3 lines changed in each; no measure tells it from b, which comes later", [
      result("a", diff(1, 3)),
      result("b", diff(1, 3))
    ]]
  ])("%s", (expected, results) => {
    assert.strictEqual(because(...results), expected)
  })
})

describe("the end of an output", () => {
  const tailOf = (...pieces: ReadonlyArray<string>) => {
    const tail = new Tail()
    for (const piece of pieces) tail.add(Buffer.from(piece))
    return tail.shown
  }

  it("a short output is whole", () => {
    assert.deepStrictEqual(tailOf(), { tail: "", truncated: false })
    assert.deepStrictEqual(tailOf("a", "b\nc\n"), { tail: "ab\nc\n", truncated: false })
  })

  it("a long output has its last whole lines, and no half character", () => {
    const lines = Array.from({ length: 100 }, (_, at) => `line ${at}\n`)
    assert.deepStrictEqual(tailOf(...lines), { tail: lines.slice(-40).join(""), truncated: true })
    const long = tailOf(`${"x".repeat(TAIL_BYTES)}\n`, "end\n")
    assert.deepStrictEqual(long, { tail: "end\n", truncated: true })
    const one = tailOf("é".repeat(TAIL_BYTES))
    assert.isTrue(one.truncated)
    assert.match(one.tail, /^é+$/)
  })
})
