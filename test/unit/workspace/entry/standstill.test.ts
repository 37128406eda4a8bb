import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { changeOf, standstillNotice } from "../../../../src/workspace/entry/standstill.ts"

describe("why a command's output does not come", () => {
  it.live("a standstill is reported when its reason changes, and not before", () =>
    Effect.gen(function*() {
      const reasons = [undefined, undefined, "the guest does not answer", "the guest does not answer", undefined]
      const next = Effect.sync(() => reasons.shift())
      assert.strictEqual(yield* changeOf(next, undefined, 1), "the guest does not answer")
      assert.strictEqual(reasons.length, 2)
      assert.strictEqual(yield* changeOf(next, "the guest does not answer", 1), undefined)
      assert.strictEqual(reasons.length, 0)
    }))

  it("a standstill and its end are reported as warnings", () => {
    assert.deepInclude(standstillNotice("the host's disk is full"), {
      level: "warning",
      message: "the host's disk is full"
    })
    assert.deepInclude(standstillNotice(undefined), { level: "warning", message: "the guest goes on" })
  })
})
