import { Effect } from "effect"
import { assert, describe, it } from "vitest"
import type { PatchRejected } from "../../../../src/contract/errors/errors.ts"
import { parsePatch } from "../../../../src/lib/patch/parse.ts"
import { lines, plan } from "./plan.ts"
import { tree } from "./trees.ts"

describe("a patch with 10,000 files that do not fit", () => {
  const names = Array.from(
    { length: 10_000 },
    (_, number) => `"n${number}\\n\\033[2J\\342\\200\\256 applied${"x".repeat(100)}"`
  )
  const bodies = names.map((name) => lines(`--- ${name}`, `+++ ${name}`, "@@ -1 +1 @@", "-a", "+b"))

  it("the sentence names some on a line each and counts the rest, and the fields have a bounded number", () => {
    const result = plan(tree({}), bodies.join(""))
    if (result._tag === "Success") return assert.fail("it fits")
    const { fact, rejects } = result.failure
    const rows = fact.split("\n")
    assert.strictEqual(rows[0], "the patch was not applied and nothing was changed: 10000 of its parts do not fit")
    assert.lengthOf(rows, 22)
    assert.match(rows[21]!, /^ {2}and \d+ more$/)
    assert.isBelow(fact.length, 10_000)
    assert.notMatch(fact, /[\u001b\u202e]/)
    assert.isAbove(rejects.length, 500)
    assert.isAtMost(rejects.length, 1_000)
    assert.isBelow(Buffer.byteLength(JSON.stringify(rejects)), 4_194_305)
  })

  it("10,000 paths that no patch may touch are counted too", () => {
    const all = names.map((_, number) => lines(`--- ../${number}`, `+++ ../${number}`, "@@ -1 +1 @@", "-a", "+b"))
    const result = Effect.runSync(
      Effect.result(Effect.try({
        try: () => parsePatch(Buffer.from(all.join(""))),
        catch: (error) => error as PatchRejected
      }))
    )
    if (result._tag === "Success") return assert.fail("it is read")
    assert.include(result.failure.fact, "it names paths that no patch may touch, 10000 of them")
    assert.lengthOf(result.failure.fact.split("\n"), 22)
    assert.lengthOf(result.failure.rejects, 1_000)
  })
})
