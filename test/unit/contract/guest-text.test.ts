import { assert, describe, it } from "@effect/vitest"
import * as FastCheck from "fast-check"
import { escapeGuestText } from "../../../src/contract/text/printable.ts"

describe("text of the guest", () => {
  it("the guest's text cannot drive a terminal, break a line, hide or reverse itself", () => {
    const hostile = "\u001b]0;owned\u0007\r\n\u202egpj.exe\u200b\u0085\u2028\"\\"
    assert.strictEqual(
      escapeGuestText(Buffer.from(hostile)),
      "\\u{1b}]0;owned\\u{7}\\u{d}\\n\\u{202e}gpj.exe\\u{200b}\\u{85}\\u{2028}\\\"\\\\"
    )
  })

  it("the guest's text is cut at its limit, also within a character", () => {
    assert.strictEqual(escapeGuestText(Buffer.from("ab".repeat(100)), 5), "ababa…")
    assert.strictEqual(escapeGuestText(Buffer.from("aää"), 4), "aä\ufffd…")
  })

  it("the guest's text of any bytes is printable", () => {
    FastCheck.assert(FastCheck.property(FastCheck.uint8Array({ maxLength: 500 }), (bytes) => {
      assert.match(escapeGuestText(bytes), /^[^\p{Cc}\p{Cf}\p{Zl}\p{Zp}]*$/u)
    }))
  })
})
