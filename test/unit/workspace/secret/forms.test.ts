import { assert, describe, it } from "@effect/vitest"
import { FastCheck } from "effect"
import { firstSecretIn, redactText, secretSet } from "../../../../src/workspace/secret/redactor.ts"

const value = "s3cret/of+Ünïcode & more"
const set = secretSet([{ name: "TOKEN", value }])!

const finds = (text: string) => assert.strictEqual(firstSecretIn(set, Buffer.from(text)), "TOKEN", text)

describe("forms of a secret", () => {
  it("include the value with bytes around it", () => {
    assert.strictEqual(redactText(set, `token=${value};`), "token=[secret:TOKEN];")
  })

  it("include base64 at each alignment, in both alphabets, whatever stands around the value", () => {
    FastCheck.assert(
      FastCheck.property(FastCheck.string(), FastCheck.string(), (before, after) => {
        const around = Buffer.from(before + value + after)
        for (const encoding of ["base64", "base64url"] as const) finds(around.toString(encoding))
      })
    )
  })

  it("include what encoders of URLs make of the value", () => {
    finds(`https://host/?q=${encodeURIComponent(value)}`)
    finds(encodeURIComponent(value).replace(/%../g, (escape) => escape.toLowerCase()))
    finds(new URLSearchParams({ token: value }).toString())
    finds(encodeURIComponent(value).replaceAll("%2F", "/"))
    finds(
      [...Buffer.from(value)].map((byte) =>
        /[A-Za-z0-9._~-]/.test(String.fromCharCode(byte)) ? String.fromCharCode(byte) : `%${byte.toString(16)}`
      ).join("")
    )
  })

  it("include lines as a terminal prints them, without the newline at the end", () => {
    const lines = secretSet([{ name: "KEY", value: "-----BEGIN\nabcdef\n-----END\n" }])!
    assert.strictEqual(redactText(lines, "-----BEGIN\r\nabcdef\r\n-----END\r\n"), "[secret:KEY]\r\n")
    assert.strictEqual(redactText(lines, "-----BEGIN\nabcdef\n-----END"), "[secret:KEY]")
  })

  it("leave text without the value as it is", () => {
    const text = "nothing \u{1f600} to hide"
    assert.strictEqual(redactText(set, text), text)
  })

  it("redact values that overlap each other without a rest", () => {
    const two = secretSet([{ name: "A", value: "abcdefgh" }, { name: "B", value: "efghijkl" }])!
    assert.strictEqual(redactText(two, "<abcdefghijkl>"), "<[secret:A][secret:B]>")
  })

  it("give one marker for a value inside another value", () => {
    const two = secretSet([{ name: "A", value: "user:hunter22" }, { name: "B", value: "hunter22" }])!
    assert.strictEqual(redactText(two, "user:hunter22 hunter22"), "[secret:A] [secret:B]")
  })
})
