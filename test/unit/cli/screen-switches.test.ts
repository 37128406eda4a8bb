import { assert, describe, it } from "vitest"
import { screenSwitches } from "../../../src/cli/terminal/screen.ts"

/** What is noted last of a program's output, in pieces of some bytes. */
const noted = (text: string, size = text.length) => {
  let last: boolean | undefined
  const note = screenSwitches((isAlternate) => (last = isAlternate))
  for (let at = 0; at < text.length; at += size) note(Buffer.from(text.slice(at, at + size), "latin1"))
  return last
}

describe("the screen that a program uses", () => {
  it.each([
    ["\x1b[?1049h", true],
    ["\x1b[?1049h text \x1b[?1049l", false],
    ["\x1b[?25;1049h", true],
    ["\x1b[?01049;1h", true],
    ["\x1b[?1049h\x1b[?25;47;2004l", false],
    ["\x1b[?25l\x1b[?11049h", undefined]
  ])("%j is read in whole and in pieces", (text, expected) => {
    assert.strictEqual(noted(text), expected)
    for (const size of [1, 3]) assert.strictEqual(noted(text, size), expected)
  })
})
