import { assert, describe, it } from "@effect/vitest"
import { Redacted, Result, Schema } from "effect"
import { inspect } from "node:util"
import { firstIssue } from "../../../src/contract/errors/issue.ts"
import { ExecPayload } from "../../../src/contract/rows/workspace-exec.ts"
import { CreatePayload } from "../../../src/contract/rows/workspace-lifecycle.ts"

const decode = Schema.decodeUnknownResult(CreatePayload())
const SHORT = "hunter2"

describe("fields of secrets", () => {
  it("a value is redacted in the request of a program, and plain in its JSON", () => {
    const request = Result.getOrThrow(decode({ secrets: { TOKEN: "correct horse" } }))
    assert.strictEqual(Redacted.value(request.secrets!["TOKEN"]!), "correct horse")
    for (const text of [inspect(request, { depth: 9 }), JSON.stringify(request), String(request.secrets!["TOKEN"])]) {
      assert.notInclude(text, "correct horse")
    }
    assert.deepEqual(Schema.encodeSync(CreatePayload())(request).secrets, { TOKEN: "correct horse" })
  })

  it("no refusal quotes a value", () => {
    for (
      const secrets of [
        { TOKEN: SHORT },
        { TOKEN: `${SHORT}\n\n\n` },
        { "1TOKEN": `${SHORT}${SHORT}` },
        { TOKEN: `${SHORT}\0${SHORT}` },
        { TOKEN: [SHORT, SHORT] },
        { TOKEN: SHORT.repeat(200_000) },
        Object.fromEntries(Array.from({ length: 65 }, (_, at) => [`TOKEN_${at}`, `${SHORT}${SHORT}`]))
      ]
    ) {
      const refused = decode({ secrets })
      assert.isTrue(Result.isFailure(refused), JSON.stringify(Object.keys(secrets)))
      if (Result.isSuccess(refused)) return
      assert.notInclude(firstIssue(refused.failure).message, SHORT)
    }
  })

  it("a short value is refused with the reason", () => {
    const refused = Result.flip(decode({ secrets: { PIN: "1" } }))
    assert.include(firstIssue(Result.getOrThrow(refused)).message, "at least 8 bytes")
  })

  it("a mapping is a name, or a name and a variable", () => {
    const mapping = (item: string) =>
      Result.isSuccess(Schema.decodeUnknownResult(ExecPayload())({ workspace: "w", secret_env: [item] }))
    assert.deepStrictEqual(["TOKEN", "TOKEN=OTHER"].map(mapping), [true, true])
    assert.deepStrictEqual(["", "1", "TOKEN=", "TOKEN=A=B", "TOKEN=a b", "=A"].map(mapping), Array(6).fill(false))
  })
})
