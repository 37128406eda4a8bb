import { assert, it } from "vitest"
import { jsonText, printable } from "../../../src/contract/text/printable.ts"

it("printable escapes control characters and bidirectional text", () => {
  assert.strictEqual(printable("a\u001b[2Jb\u0007\r\u009b\u202e\u061cc"), "a\\x1b[2Jb\\x07\\x0d\\x9b\\u202e\\u061cc")
})

it("printable shows words that are hidden in characters of no width", () => {
  assert.strictEqual(
    printable("\ufeffa\u200b\u2060\u{e0041}\u{e0100}\ufff9"),
    "\\ufeffa\\u200b\\u2060\\u{e0041}\\u{e0100}\\ufff9"
  )
})

it("printable shows what makes one name look like another", () => {
  assert.strictEqual(printable("a\u00ad.txt"), "a\\xad.txt")
  assert.strictEqual(printable("a\u200d.txt\u200c"), "a\\u200d.txt\\u200c")
  assert.strictEqual(printable("\u200da\ufe0f\u3164\u2800"), "\\u200da\\ufe0f\\u3164\\u2800")
  assert.strictEqual(printable("\ud83d"), "\\ud83d")
})

it("printable shows a word that is spelled in joiners and selectors", () => {
  assert.strictEqual(printable("😀\ufe0f\ufe01\ufe02"), "😀\ufe0f\\ufe01\\ufe02")
  assert.strictEqual(printable("क\u200d\u200c\u200d"), "क\u200d\\u200c\\u200d")
})

it("printable keeps ordinary text of any language, tabs and newlines", () => {
  const text = "naïve\t日本語 😀 👩‍💻 ❤️ ❤️‍🔥 1️⃣ می‌خواهم क्‍ष\nend\n"
  assert.strictEqual(printable(text), text)
  assert.strictEqual(printable("a\r\nb"), "a\nb")
})

it("a document of JSON has no character that a terminal obeys, and says the same", () => {
  const document = {
    "a\u009b6n": ["\u009d52;c;ZXZpbA==\u009c", "\u001b[2J\u007f\u202e\u2066\u2028\u{e0041}", "日本語 é 😀"]
  }
  for (const text of [jsonText(document), jsonText(document, 2)]) {
    assert.notMatch(text, /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u2028\u202e\u2066\udb40]/)
    assert.include(text, "日本語 é 😀")
    assert.deepStrictEqual(JSON.parse(text), document)
  }
})
