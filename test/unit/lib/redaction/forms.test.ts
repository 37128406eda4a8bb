import { assert, describe, it } from "@effect/vitest"
import * as FastCheck from "fast-check"
import { MAX_SECRETS } from "../../../../src/contract/rows/secret-fields.ts"
import { pathText } from "../../../../src/contract/text/path-text.ts"
import { printable } from "../../../../src/contract/text/printable.ts"
import { MAX_BROKEN_BYTES } from "../../../../src/lib/redaction/forms.ts"
import { firstSecretIn, redactText } from "../../../../src/lib/redaction/redact.ts"
import { secretSet } from "../../../../src/lib/redaction/secrets.ts"

const value = "s3cret/of+Ünïcode & more"
const set = secretSet([{ name: "TOKEN", value }])!

const inLines = (text: string, columns: number, end: string) =>
  Buffer.from(text).toString("base64").match(new RegExp(`.{1,${columns}}`, "g"))!.join(end)

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

  it("include base64 in lines of 64 and 76 columns, whatever stands around a short value", () => {
    const lineLengths = [64, 76]
    FastCheck.assert(
      FastCheck.property(
        FastCheck.string({ maxLength: 200 }),
        FastCheck.string({ maxLength: 200 }),
        FastCheck.constantFrom(...lineLengths),
        FastCheck.constantFrom("\n", "\r\n"),
        (before, after, columns, end) => finds(inLines(before + value + after, columns, end))
      )
    )
  })

  it("include base64 in lines of a long value from its beginning", () => {
    const long = Array.from({ length: 400 }, (_, at) => `line ${at} of a key`).join("\n")
    const one = secretSet([{ name: "KEY", value: `${long}\n` }])!
    for (const columns of [64, 76]) {
      const shown = redactText(one, `<${inLines(long, columns, "\n")}>`)
      assert.match(shown, /^<\[secret:KEY\].{0,3}>$/s)
    }
  })

  it("include lower and upper hexadecimal", () => {
    const hex = Buffer.from(`<${value}>`).toString("hex")
    assert.strictEqual(redactText(set, hex), "3c[secret:TOKEN]3e")
    assert.strictEqual(redactText(set, hex.toUpperCase()), "3C[secret:TOKEN]3E")
  })

  const escaped = "quo\"te\\back/slash\tü<&>\nsecond 🔑 line\x1b[0m"

  it("include the escapes of JSON as usual programs write them", () => {
    const set = secretSet([{ name: "TOKEN", value: escaped }])!
    const json = JSON.stringify({ password: escaped })
    const ascii = json.replace(/[^\0-\x7f]/g, (one) => `\\u${one.charCodeAt(0).toString(16).padStart(4, "0")}`)
    const go = json.replace(/[<>&]/g, (one) => `\\u00${one.charCodeAt(0).toString(16)}`)
    for (const text of [json, ascii, go, ascii.replaceAll("/", "\\/")]) {
      assert.strictEqual(redactText(set, text), `{"password":"[secret:TOKEN]"}`)
    }
  })

  it("include names of files in quotes, and printable text", () => {
    const set = secretSet([{ name: "TOKEN", value: escaped }])!
    assert.strictEqual(redactText(set, pathText(Buffer.from(`a/${escaped}/b`))), "\"a/[secret:TOKEN]/b\"")
    assert.strictEqual(redactText(set, printable(`<${escaped}>`)), "<[secret:TOKEN]>")
    const accent = secretSet([{ name: "TOKEN", value: "pässwörd" }])!
    assert.strictEqual(redactText(accent, pathText(Buffer.from("\"/pässwörd"))), "\"\\\"/[secret:TOKEN]\"")
  })

  it("are few enough for the largest number of secrets", () => {
    const most = Array.from({ length: 2 * MAX_SECRETS }, (_, at) => ({
      name: `S${at}`,
      value: `${at}`.padStart(MAX_BROKEN_BYTES, "line\n+ /")
    }))
    // The automaton counts patterns in 16 bits.
    assert.isBelow(secretSet(most)!.matcher.automaton.patterns.length, 65_536)
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
