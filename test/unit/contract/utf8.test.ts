import { assert, describe, it } from "@effect/vitest"
import { nextCharacter, utf8Text, wholeCharacters } from "../../../src/contract/text/utf8.ts"

/** Characters of one to four bytes. */
const CHARACTERS = ["a", "é", "€", "🦋"]

describe("boundaries of UTF-8 characters", () => {
  it("a cut removes only the character at the end that lacks bytes", () => {
    for (const character of CHARACTERS) {
      const bytes = Buffer.from(`x${character}`)
      assert.strictEqual(wholeCharacters(bytes), bytes.length, character)
      for (let end = 2; end < bytes.length; end++) {
        assert.strictEqual(wholeCharacters(bytes.subarray(0, end)), 1, `${end} bytes of ${character}`)
      }
    }
    assert.strictEqual(wholeCharacters(Buffer.alloc(0)), 0)
    assert.strictEqual(wholeCharacters(Buffer.from("🦋").subarray(0, 3)), 0)
  })

  it("the next character begins after the rest of a cut one, which has at most three bytes", () => {
    for (const character of CHARACTERS) {
      const bytes = Buffer.from(`${character}x`)
      for (let from = 1; from < bytes.length; from++) {
        assert.strictEqual(nextCharacter(bytes, from), bytes.length - 1, `byte ${from} of ${character}`)
      }
    }
    assert.strictEqual(nextCharacter(Buffer.alloc(8, 0x80)), 3)
  })

  it("bytes that are not UTF-8 become U+FFFD, and a byte order mark stays", () => {
    assert.deepStrictEqual(utf8Text(Buffer.from("\ufeffé")), { text: "\ufeffé", lossy: false })
    assert.deepStrictEqual(utf8Text(Buffer.of(0x61, 0xff)), { text: "a\ufffd", lossy: true })
    assert.deepStrictEqual(utf8Text(Buffer.from("\ufffd")), { text: "\ufffd", lossy: false })
  })
})
