import { assert, describe, it } from "vitest"
import { painted, tableText } from "../../../src/cli/table.ts"

const plain = { width: Number.POSITIVE_INFINITY, colour: false }
const rows = [["NAME", "STATE", "WHAT"], ["fix", painted("green", "running"), "a long description of it"]]

describe("a table", () => {
  it("aligns its columns and has no colour and no limit by itself", () => {
    assert.strictEqual(
      tableText(rows, { ...plain, head: true, flexible: [2] }),
      "NAME  STATE    WHAT\nfix   running  a long description of it\n"
    )
  })

  it("is cut to a terminal's width where it may be", () => {
    const text = tableText(rows, { width: 25, colour: false, flexible: [2] })
    assert.strictEqual(text, "NAME  STATE    WHAT\nfix   running  a long de…\n")
    assert.strictEqual(tableText(rows, { width: 25, colour: false }), tableText(rows, plain))
  })

  it("has colours that do not count as width", () => {
    assert.strictEqual(
      tableText(rows, { width: 25, colour: true, head: true, flexible: [2] }),
      "\u001b[1mNAME\u001b[0m  \u001b[1mSTATE\u001b[0m    \u001b[1mWHAT\u001b[0m\n" +
        "fix   \u001b[32mrunning\u001b[0m  a long de…\n"
    )
  })

  it("shows control characters instead of obeying them", () => {
    assert.strictEqual(tableText([["a\u001b[31m\nb", "c"]], plain), "a\\x1b[31m\\nb  c\n")
  })
})
