import { Effect } from "effect"
import { assert, describe, it } from "vitest"
import { typedMessage } from "../../../../src/contract/rows/next-steps.ts"
import { demandPlain } from "../../../../src/lib/redaction/redact.ts"
import { secretSet } from "../../../../src/lib/redaction/secrets.ts"

const set = secretSet([{ name: "TOKEN", value: "correct-horse" }])

describe("fields that a record keeps", () => {
  it.each([
    ["command", ["serve", "--token=correct-horse"]],
    ["env", { API: "correct-horse" }],
    ["labels", { "correct-horse": "x" }],
    ["ready_http", "http://localhost:80/?t=correct-horse"],
    ["publish", [{ of: { deep: "correct-horse" } }]]
  ])(
    "%s is refused if it has the value of a secret, and the error names the secret without the value",
    (field, value) => {
      const failure = Effect.runSync(Effect.flip(demandPlain(set, { other: 5, [field]: value })))
      assert.strictEqual(failure.field, field)
      assert.include(typedMessage(failure), "--secret-env TOKEN")
      assert.notInclude(failure.message, "correct-horse")
    }
  )

  it("other fields are stored", () => {
    Effect.runSync(demandPlain(set, { command: ["serve", "$TOKEN"], env: {}, absent: undefined, none: null }))
    Effect.runSync(demandPlain(undefined, { command: ["correct-horse"] }))
  })
})
