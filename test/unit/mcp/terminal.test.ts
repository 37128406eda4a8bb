import { assert, describe, it } from "vitest"
import { keepOutput, type OutputName, type OutputPiece } from "../../../src/mcp/output.ts"
import { asSeen, textAsSeen } from "../../../src/mcp/terminal.ts"

const utf8 = (text: string) => new TextEncoder().encode(text)

/** What is shown of outputs, cut into pieces of so many bytes. */
const shownOf = (outputs: ReadonlyArray<readonly [OutputName, string]>, piece: number) => {
  const text = { stdout: "", stderr: "" }
  const bytes: Record<OutputName, Array<Uint8Array>> = { stdout: [], stderr: [] }
  const seen = asSeen((one) => bytes[one.from].push(one.bytes))
  let next = 0
  for (const [from, output] of outputs) {
    const all = utf8(output)
    for (let at = 0; at < all.length; at += piece) {
      const part = all.subarray(at, at + piece)
      next += part.length
      seen.push({ from, bytes: part, next })
    }
  }
  seen.end(false)
  for (const from of ["stdout", "stderr"] as const) text[from] = Buffer.concat(bytes[from]).toString()
  return text
}

const ESC = "\u001b"

describe("output as a person sees it", () => {
  it.each([
    ["colours", `${ESC}[1;31mred${ESC}[0m plain ${ESC}[38;2;1;2;3mrgb${ESC}[39m\n`, "red plain rgb\n"],
    ["a link", `see ${ESC}]8;;https://example.org/a?b=c${ESC}\\the page${ESC}]8;;${ESC}\\ now\n`, "see the page now\n"],
    ["a title, ended by a bell", `${ESC}]0;a title\u0007text\n`, "text\n"],
    ["other strings of a terminal", `${ESC}P1$r0m${ESC}\\a${ESC}_x${ESC}\\b${ESC}^y${ESC}\\c\n`, "abc\n"],
    ["sets of characters and modes", `${ESC}(B${ESC}[?25l${ESC}=${ESC}7text${ESC}[?25h${ESC}8\n`, "text\n"],
    ["a progress bar", " 10%\r 55%\r100% done\nnext\n", "100% done\nnext\n"],
    ["a shorter text over a longer one", "abcdef\rXY\n", "XYcdef\n"],
    ["a line that is erased first", `downloading 7/9\r${ESC}[Kdone\n`, "done\n"],
    ["a line that is erased with spaces", "downloading\r           \rdone\n", "done\n"],
    ["a line that is erased and left empty", `working${ESC}[2K\r\nend\n`, "\nend\n"],
    ["columns that are named", `name${ESC}[10Gsize${ESC}[2D--\n`, "name     si--\n"],
    ["overstruck letters and a spinner", "b\bbo\bold |\b/\b-\b \n", "bold\n"],
    ["lines of another system", "one\r\ntwo\r\n", "one\ntwo\n"],
    ["a progress bar that is not over", "a\n 1%\r 2%", "a\n 2%"],
    ["a carriage return that nothing follows yet", "a\n 1%\r", "a\n 1%"],
    ["characters of several bytes", "größe 𝄞 1\rgrößer\n", "größer𝄞 1\n"],
    ["a bell and a shift", "a\u0007b\u000ec\u000f\n", "abc\n"],
    ["an escape that is none", `a${ESC}\nb${ESC}ä\n`, "a\nbä\n"],
    ["a sequence that a newline cuts", `a${ESC}[31\nb\n`, "a\nb\n"],
    ["a string that never ends", `a${ESC}]0;title\nb\n`, "a]0;title\nb\n"],
    ["a string that never ends, at the end", `a${ESC}]8;;x`, "a]8;;x"],
    ["a sequence that never ends, at the end", `a${ESC}[3`, "a"],
    ["nothing of it", "plain\ttext\n\nwith \"quotes\"\n", "plain\ttext\n\nwith \"quotes\"\n"]
  ])("plain output shows %s as a terminal does, in any pieces", (_, output, expected) => {
    for (const piece of [1, 2, 3, 5, 1_000]) {
      assert.strictEqual(shownOf([["stdout", output]], piece).stdout, expected, `in pieces of ${piece}`)
    }
    assert.strictEqual(textAsSeen(output), expected)
  })

  it("plain output keeps two streams apart that write by turns", () => {
    const turns = [["stdout", "out"], ["stderr", "1%\r"], ["stdout", "put"], ["stderr", "2%"], [
      "stdout",
      "\n"
    ]] as const
    assert.deepStrictEqual(shownOf(turns, 1), { stdout: "output\n", stderr: "2%" })
  })

  it("plain output keeps text after an overlong sequence in bounded memory", () => {
    const long = "x".repeat(100_000)
    assert.strictEqual(textAsSeen(`${ESC}]0;${long}`), `]0;${long}`)
    assert.strictEqual(textAsSeen(`${ESC}[${"1".repeat(100_000)}m`).length, 100_002)
  })

  it("plain output holds back the beginning of a line only", () => {
    const pieces: Array<OutputPiece> = []
    const seen = asSeen((piece) => pieces.push(piece))
    let next = 0
    for (let at = 0; at < 100; at++) {
      const bytes = utf8("x".repeat(1_000))
      seen.push({ from: "stdout", bytes, next: next += bytes.length })
    }
    assert.isAbove(pieces.reduce((sum, { bytes }) => sum + bytes.length, 0), 97_000)
    assert.strictEqual(textAsSeen(`${"x".repeat(5_000)}\rover\n`), `${"x".repeat(5_000)}\nover\n`)
    const wide = textAsSeen(`a\r${"y".repeat(50_000)}\nend\n`)
    assert.strictEqual(wide, `${"y".repeat(50_000)}\nend\n`)
  })

  it("plain output continues before a sequence that is cut at the end", () => {
    const whole = utf8(`a\n${ESC}[31mred${ESC}[0m\n`)
    for (let cut = 1; cut < whole.length; cut++) {
      const shown: Array<Uint8Array> = []
      const first = asSeen(({ bytes }) => shown.push(bytes))
      first.push({ from: "stdout", bytes: whole.subarray(0, cut), next: cut })
      const cursor = first.end(true)
      const second = asSeen(({ bytes }) => shown.push(bytes), cursor)
      second.push({ from: "stdout", bytes: whole.subarray(cursor), next: whole.length })
      assert.strictEqual(second.end(true), whole.length)
      assert.strictEqual(Buffer.concat(shown).toString(), "a\nred\n", `cut at ${cut}`)
    }
  })
})

describe("a progress bar of a megabyte between lines that matter", () => {
  it("a progress bar of a megabyte is one line of plain output", () => {
    const bar = Array.from(
      { length: 20_000 },
      (_, at) => `\r${ESC}[32m${"#".repeat(at % 40)}${ESC}[0m ${at}/20000${ESC}[K`
    )
    const text = `before\n${bar.join("")}\nafter\n`
    const kept = keepOutput(0)
    const seen = asSeen(kept.add)
    const all = utf8(text)
    for (let at = 0; at < all.length; at += 4_093) {
      const bytes = all.subarray(at, at + 4_093)
      seen.push({ from: "stderr", bytes, next: at + bytes.length })
    }
    assert.strictEqual(seen.end(false), all.length)
    const { omitted, stderr } = kept.shown(() => "more")
    assert.isUndefined(omitted)
    assert.strictEqual(stderr, `before\n${"#".repeat(39)} 19999/20000\nafter\n`)
  })

  it("output that only moves its cursor makes some cells a character", () => {
    const output = `${ESC}[4097Gx\n`.repeat(29_000)
    const seen = textAsSeen(output)
    assert.isBelow(seen.length, output.length)
    assert.strictEqual(seen.split("\n")[0], `${" ".repeat(1_000)}x`)
    assert.strictEqual(seen.split("\n")[28_999], "…x")
    const row = `name${ESC}[30Gsize${ESC}[50Gmode\n`
    assert.isTrue(textAsSeen(row.repeat(1_000)).endsWith(`\nname${" ".repeat(25)}size${" ".repeat(16)}mode\n`))
  })
})
