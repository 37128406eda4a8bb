import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import { AnsiLines, type Line } from "../../../apps/web/src/parts/ansi.ts"

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

  it.each([
    ["move to a far column", "\u001b[4097Gx\n".repeat(29_000)],
    ["move by many columns", "\u001b[4097Cx\n".repeat(29_000)],
    ["move beyond an erased line", `${"x".repeat(130_000)}${"\u001b[2Kx".repeat(26_200)}`],
    ["move beyond an erased beginning", `${"x".repeat(130_000)}${"\u001b[1Kx".repeat(26_200)}`]
  ])("261 kB of output that %s make some cells a character", (_, text) => {
    assert.isAbove(text.length, 260_000)
    const cells = textOf(linesOf(text)).reduce((sum, line) => sum + line.length, 0)
    assert.isBelow(cells, 5 * text.length + 16_384)
  })

  it.each([
    ["ask for one look before each character", "\u001b[1mA"],
    ["ask for a look in several ways", "\u001b[1mA\u001b[0;1mA\u001b[31;39;1mA"],
    ["change the look at each character", "\u001b[1mA\u001b[mB"],
    ["change the color at each character", "\u001b[31mA\u001b[32mB"],
    ["color a character of each line", "\u001b[1mA\n\u001b[m\n"],
    ["move beyond the limit of blanks in each line", "\u001b[4097Gx\n"],
    ["write over every other cell of a line", "\u001b[1mA\u001b[C"]
  ])("261 kB of output that %s make a bounded number of spans, and keep their text", (_, unit) => {
    const text = unit.repeat(Math.floor(261_000 / unit.length))
    const lines = linesOf(text)
    const looked = lines.flat().filter(({ look }) => Object.keys(look).length > 0)
    assert.isAtMost(looked.length, 16_384)
    // A line beyond the limit is one plain span.
    assert.isBelow(lines.flat().length, 2 * 16_384 + lines.length)
    assert.strictEqual(
      textOf(lines).join("").replace(/[ …]/g, "").length,
      text.replace(/\u001b\[[0-9;]*[A-Za-z]|\n/g, "").length
    )
  })

  it("one look that is asked for again and again is one span", () => {
    assert.deepStrictEqual(linesOf("\u001b[1ma\u001b[1mb\u001b[0;1mc\u001b[22md\u001b[39me"), [[
      { text: "abc", look: { bold: true } },
      { text: "de", look: {} }
    ]])
  })

  it("a mark stands for blanks beyond the limit, and what was written stays", () => {
    const lines = linesOf("\u001b[4097Gx\n".repeat(1_000))
    assert.deepStrictEqual(textOf(lines)[0], `${" ".repeat(4_096)}x`)
    assert.deepStrictEqual(lines[999], [{ text: "…", look: { dim: true } }, { text: "x", look: {} }])
  })

  it("columns of ordinary tables keep their blanks", () => {
    const row = "name\u001b[30Gsize\u001b[50Gmode"
    const lines = textOf(linesOf(`${row}\n`.repeat(9_000)))
    assert.strictEqual(lines[8_999], `name${" ".repeat(25)}size${" ".repeat(16)}mode`)
  })

  it("an erased beginning is blank, whatever was written there before", () => {
    assert.deepStrictEqual(textOf(linesOf("abcdef\b\b\b\u001b[1K\rxy\u001b[1Kz")), ["  z ef"])
  })

  it("a backspace at the end of a long line goes back by one column", () => {
    assert.strictEqual(textOf(linesOf(`${"x".repeat(5_000)}\by`))[0], `${"x".repeat(4_999)}y`)
  })

  it("complete blocks stay the same", () => {
    const ansi = new AnsiLines()
    ansi.push("x\n".repeat(450))
    const [first, second] = ansi.blocks()
    ansi.push("y\n".repeat(450))
    assert.strictEqual(ansi.blocks()[0], first)
    assert.strictEqual(ansi.blocks()[1], second)
  })

  it("a string that an escape breaks off, or that is longer than its piece, is left out", () => {
    assert.deepStrictEqual(textOf(linesOf("a\u001bPx\u001b[1mb")), ["ab"])
    assert.deepStrictEqual(textOf(linesOf("\u001b\u001bP\0 \u001b", "\0z")), ["z"])
    const title = `\u001b]0;${"x".repeat(1_000_000)}`
    assert.deepStrictEqual(textOf(linesOf(`a${title}`, "y".repeat(10), "z\u0007b")), ["ab"])
    assert.deepStrictEqual(textOf(linesOf("a\u001b(", "Bb")), ["ab"])
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
