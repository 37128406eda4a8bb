import { assert, describe, it } from "@effect/vitest"
import { FastCheck } from "effect"
import { pathText } from "../../../src/disk/path-text.ts"

const controls: Readonly<Record<string, number>> = { a: 7, b: 8, t: 9, n: 10, v: 11, f: 12, r: 13 }

/** Undoes git's quoted form. */
const unquote = (text: string): Buffer => {
  if (!text.startsWith("\"")) return Buffer.from(text)
  const bytes: Array<number> = []
  for (const [, octal, letter, plain] of text.slice(1, -1).matchAll(/\\([0-7]{3})|\\(.)|([^])/gu)) {
    if (octal !== undefined) bytes.push(Number.parseInt(octal, 8))
    else if (letter !== undefined) bytes.push(controls[letter] ?? letter.charCodeAt(0))
    else bytes.push(plain!.charCodeAt(0))
  }
  return Buffer.from(bytes)
}

describe("paths as text", () => {
  it("ordinary names stay as they are", () => {
    for (const name of ["src/main.ts", "with space", "größe/日本語", "-dash", "'single'"]) {
      assert.strictEqual(pathText(Buffer.from(name)), name)
    }
  })

  it("bytes that are not UTF-8, controls and quotes come as git quotes them", () => {
    assert.strictEqual(pathText(Buffer.from("a\xff\n", "latin1")), "\"a\\377\\n\"")
    assert.strictEqual(pathText(Buffer.from("\u009b31m")), "\"\\302\\23331m\"")
    assert.strictEqual(pathText(Buffer.from("\x1b[31m\"\\")), "\"\\033[31m\\\"\\\\\"")
  })

  it("any bytes can be told from their text, which no terminal acts on", () => {
    FastCheck.assert(FastCheck.property(FastCheck.uint8Array({ maxLength: 40 }), (bytes) => {
      const text = pathText(bytes)

      return unquote(text).equals(Buffer.from(bytes)) && !/[\u0000-\u001f\u007f]/.test(text)
    }))
  })
})
