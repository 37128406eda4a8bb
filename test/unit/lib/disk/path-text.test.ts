import { assert, describe, it } from "@effect/vitest"
import * as FastCheck from "fast-check"
import { pathBytes, pathText } from "../../../../src/contract/text/path-text.ts"

describe("paths as text", () => {
  it("the text of an ordinary path is the path itself", () => {
    for (const name of ["src/main.ts", "with space", "größe/日本語", "-dash", "'single'"]) {
      assert.strictEqual(pathText(Buffer.from(name)), name)
    }
  })

  it("the text of a path quotes control characters, quotes and invalid UTF-8 as git does", () => {
    assert.strictEqual(pathText(Buffer.from("a\xff\n", "latin1")), "\"a\\377\\n\"")
    assert.strictEqual(pathText(Buffer.from("\u009b31m")), "\"\\302\\23331m\"")
    assert.strictEqual(pathText(Buffer.from("\x1b[31m\"\\")), "\"\\033[31m\\\"\\\\\"")
  })

  it("the text of a path quotes blanks at an end, and blanks that only look like U+0020", () => {
    assert.strictEqual(pathText(Buffer.from("a ")), "\"a \"")
    assert.strictEqual(pathText(Buffer.from(" a")), "\" a\"")
    for (const blank of ["\u00a0", "\u2003", "\u202f", "\u3000", "\u1680", "\u0085", "\u2028"]) {
      assert.match(pathText(Buffer.from(`a${blank}b`)), /^"a(?:\\[23]\d\d)+b"$/)
    }
  })

  it("the text of any path gives the path back and has no control characters", () => {
    FastCheck.assert(FastCheck.property(FastCheck.uint8Array({ maxLength: 40 }), (bytes) => {
      const text = pathText(bytes)

      return Buffer.compare(pathBytes(text) ?? Buffer.from("?"), bytes) === 0 && !/[\u0000-\u001f\u007f]/.test(text)
    }))
  })

  it("a quoted or unquoted path is read as bytes, and wrong quotes are refused", () => {
    assert.deepStrictEqual(pathBytes("größe"), new TextEncoder().encode("größe"))
    assert.deepStrictEqual(pathBytes("\"a\\377\\n\\\"ö\""), Uint8Array.of(97, 255, 10, 34, 0xc3, 0xb6))
    for (const wrong of ["\"", "\"open", "\"a\"b\"", "\"\\400\"", "\"\\x41\"", "\"end\\\""]) {
      assert.isUndefined(pathBytes(wrong), wrong)
    }
  })
})
