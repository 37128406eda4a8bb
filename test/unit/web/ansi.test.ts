import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import { AnsiLines, type Line } from "../../../src/web/src/parts/ansi.ts"

const linesOf = (...pieces: ReadonlyArray<string>): ReadonlyArray<Line> => {
  const ansi = new AnsiLines()
  for (const piece of pieces) ansi.push(piece)
  return ansi.blocks().flat()
}
const textOf = (lines: ReadonlyArray<Line>) => lines.map((line) => line.map(({ text }) => text).join(""))

/** Text, and the parts of sequences of a terminal. */
const output = fc.string({
  unit: fc.oneof(
    fc.constantFrom(
      "\u001b",
      "[",
      "]",
      ";",
      "0",
      "1",
      "9",
      "31",
      "m",
      "K",
      "G",
      "C",
      "D",
      "\r",
      "\n",
      "\b",
      "\t",
      "\u0007",
      "\\",
      "P"
    ),
    fc.string({ minLength: 1, maxLength: 1, unit: "binary" })
  ),
  maxLength: 80
})

describe("output of a terminal as lines", () => {
  it("colors and attributes have the extent that the program gave them", () => {
    const [line] = linesOf("a\u001b[1;31mb\u001b[0mc\u001b[38;5;208md\u001b[48;2;1;2;300me")
    assert.deepStrictEqual(line!.map(({ look, text }) => [text, look.fg, look.bg, look.bold]), [
      ["a", undefined, undefined, undefined],
      ["b", 1, undefined, true],
      ["c", undefined, undefined, undefined],
      ["d", 208, undefined, undefined],
      ["e", 208, "#0102ff", undefined]
    ])
  })

  it("a carriage return, a backspace and an erased end replace what was there", () => {
    assert.deepStrictEqual(textOf(linesOf("10%\r99%\nabc\b\bX\nlong line\rshort\u001b[K")), ["99%", "aXc", "short"])
  })

  it("sequences that act outside of the text have no effect", () => {
    const text = "a\u001b]0;title\u0007b\u001b]8;;http://x\u001b\\c\u001b[2J\u001b[5;5Hd\u001b(Be\u001bP+q\u001b\\f"
    assert.deepStrictEqual(textOf(linesOf(text)), ["abcdef"])
  })

  it("a guest cannot fill memory with blanks", () => {
    assert.isBelow(textOf(linesOf("\u001b[999999999Cx"))[0]!.length, 5_000)
  })

  it("complete blocks stay the same", () => {
    const ansi = new AnsiLines()
    ansi.push("x\n".repeat(450))
    const [first, second] = ansi.blocks()
    ansi.push("y\n".repeat(450))
    assert.strictEqual(ansi.blocks()[0], first)
    assert.strictEqual(ansi.blocks()[1], second)
  })

  it("output that is cut anywhere gives the same lines", () => {
    fc.assert(
      fc.property(output, fc.nat(80), (text, cut) => {
        // The daemon cuts no character.
        const characters = [...text]
        const cuts = [characters.slice(0, cut).join(""), characters.slice(cut).join("")]
        assert.deepStrictEqual(linesOf(...cuts), linesOf(text))
      }),
      { numRuns: 2_000 }
    )
  })
})
