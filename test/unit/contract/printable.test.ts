import { assert, it } from "vitest"
import { printable } from "../../../src/contract/printable.ts"

it("printable escapes control characters and bidirectional text", () => {
  assert.strictEqual(printable("a\u001b[2Jb\u0007\r\u009b\u202ec"), "a\\x1b[2Jb\\x07\\x0d\\x9b\\u202ec")
})

it("printable keeps ordinary text of any language, tabs and newlines", () => {
  const text = "naïve\t日本語 😀\nend\n"
  assert.strictEqual(printable(text), text)
  assert.strictEqual(printable("a\r\nb"), "a\nb")
})
