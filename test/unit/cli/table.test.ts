import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import stringWidth from "string-width"
import { type Cell, painted, tableText } from "../../../src/cli/output/table.ts"

const plain = { width: Number.POSITIVE_INFINITY, colour: false }
const rows = [["NAME", "STATE", "WHAT"], ["fix", painted("green", "running"), "a long description of it"]]

const expectTable = (
  cells: ReadonlyArray<ReadonlyArray<Cell>>,
  options: Parameters<typeof tableText>[1],
  expected: string
) => Effect.map(tableText(cells, options), (text) => assert.strictEqual(text, expected))

describe("a table", () => {
  it.effect("a table aligns its columns and has no colour or limit by default", () =>
    expectTable(
      rows,
      { ...plain, head: true, flexible: [2] },
      "NAME  STATE    WHAT\nfix   running  a long description of it\n"
    ))

  it.effect("cells that differ by blanks look different, and no cell makes a row", () =>
    expectTable(
      [["a b"], ["a  b"], ["a b "], ["a\u00a0b"], ["a\tb"], ["a\nb"], ["a\u200bb"]],
      plain,
      "a b\na  b\na b\\x20\na\\xa0b\na\\tb\na\\nb\na\\u200bb\n"
    ))

  it.effect("a table is cut to the terminal's width in its flexible column", () =>
    Effect.gen(function*() {
      yield* expectTable(
        rows,
        { width: 25, colour: false, flexible: [2] },
        "NAME  STATE    WHAT\nfix   running  a long de…\n"
      )
      yield* expectTable(rows, { width: 25, colour: false }, yield* tableText(rows, plain))
    }))

  it.effect("a table's colours do not count as width", () =>
    expectTable(
      rows,
      { width: 25, colour: true, head: true, flexible: [2] },
      "\u001b[1mNAME\u001b[0m  \u001b[1mSTATE\u001b[0m    \u001b[1mWHAT\u001b[0m\n" +
        "fix   \u001b[32mrunning\u001b[0m  a long de…\n"
    ))

  it.effect("a table escapes control characters", () =>
    expectTable([["a\u001b[31m\nb", "c"]], plain, "a\\x1b[31m\\nb  c\n"))

  it.effect("a table limits a cell in a pipe as well", () =>
    expectTable([[{ text: "a long reason", maxColumns: 7 }, "c"]], plain, "a long…  c\n"))

  it.effect("a table aligns columns after wide characters, emoji and combining marks", () =>
    Effect.gen(function*() {
      const names = ["plain", "日本語", "👩‍👩‍👧 team", "cafe\u0301", "한글", "🇨🇭", "a long name"]
      const lines = (yield* tableText(names.map((name) => [name, "|"]), plain)).trimEnd().split("\n")
      for (const line of lines) {
        assert.strictEqual(stringWidth(line.slice(0, line.indexOf("|"))), stringWidth("a long name") + 2, line)
      }
      assert.strictEqual(lines[1], "日本語       |")
      assert.strictEqual(yield* tableText([["zero\u200bwidth", "|"]], plain), "zero\\u200bwidth  |\n")
    }))

  it.effect("a table cuts text between grapheme clusters", () =>
    Effect.gen(function*() {
      const cut = (text: string, width: number) => tableText([[text]], { ...plain, width, flexible: [0] })
      assert.strictEqual(yield* cut("日本語日本語", 8), "日本語…\n")
      assert.strictEqual(yield* cut("日本語日本語", 9), "日本語日…\n")
      assert.strictEqual(yield* cut("abcdefe\u0301\u0301xyz", 8), "abcdefe\u0301\u0301…\n")
      assert.strictEqual(yield* cut("abcde👩‍👩‍👧👩‍👩‍👧", 8), "abcde👩‍👩‍👧…\n")
    }))
})
