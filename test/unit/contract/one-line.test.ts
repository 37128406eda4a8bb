import { assert, describe, it } from "vitest"
import { loginQuestion } from "../../../src/cli/views/ssh.ts"
import { ExportRefused, ProjectNotAccepted, RegistryNotAllowed } from "../../../src/contract/errors/errors.ts"
import { nameLine, oneLine, rowText, someLines } from "../../../src/contract/text/one-line.ts"

/** Texts of a file that try to look like lines of pyro. */
const HOSTILE: ReadonlyArray<readonly [string, string]> = [
  ["a\n  connections to npm", "a\\n\\x20\\x20connections to npm"],
  ["a\r\n\tb\rc", "a\\r\\n\\tb\\rc"],
  [`.env${" ".repeat(3)}x`, ".env\\x20\\x20\\x20x"],
  [".env\u00a0\u2003\u3000x", ".env\\xa0\\u2003\\u3000x"],
  ["a\u0085b\u2028c\vd\fe", "a\\x85b\\u2028c\\x0bd\\x0ce"],
  ["a\u202ecod.exe\u200bb\u2066", "a\\u202ecod.exe\\u200bb\\u2066"],
  ["\u001b[2J\u001b[H", "\\x1b[2J\\x1b[H"],
  ["a b — ü 漢字", "a b — ü 漢字"]
]

describe("text of others in a sentence of pyro", () => {
  it("is one line, and shows each character that would not be seen", () => {
    for (const [text, shown] of HOSTILE) assert.strictEqual(oneLine(text), shown)
  })

  it("has a bounded length, which the sentence tells", () => {
    assert.strictEqual(oneLine("x".repeat(2000)), `${"x".repeat(1000)}… (2000 characters)`)
    assert.isBelow(oneLine("\n".repeat(100_000)).length, 1_100)
  })

  it("in a row keeps the blanks between its words, and shows all others", () => {
    assert.strictEqual(rowText("for i in 1;  do"), "for i in 1;  do")
    for (
      const [text, shown] of [
        ["a ", "a\\x20"],
        ["  a", "\\x20\\x20a"],
        ["a\u00a0b", "a\\xa0b"],
        ["a\u2003b", "a\\u2003b"],
        ["a\tb\nc\r\nd", "a\\tb\\nc\\r\\nd"],
        ["a\u202eb\u200b", "a\\u202eb\\u200b"],
        ["   ", "\\x20\\x20\\x20"]
      ] as const
    ) {
      assert.strictEqual(rowText(text), shown)
    }
  })

  it("takes no time by the square of a run of blanks", () => {
    assert.strictEqual(rowText(`a${" ".repeat(300_000)}b`).length, 300_002)
    assert.strictEqual(oneLine(`a${" ".repeat(300_000)}b`).length, 1_000 + "… (1200002 characters)".length)
  })

  it("is bounded in its number", () => {
    assert.deepStrictEqual(someLines(["a", "b\n", "c", "d"], 2), ["a", "b\\n", "and 2 more"])
  })

  it("a long name leaves the rest of a question in sight", () => {
    assert.isBelow(nameLine("x".repeat(100_000)).length, 230)
    assert.isBelow(nameLine("\u202e\n".repeat(100_000)).length, 230)
    const question = loginQuestion({ host: "github.com", user: "x\n".repeat(5_000), fingerprint: "SHA256:abc" })
    assert.match(oneLine(question), /characters\) with SHA256:abc\?$/)
  })

  it("10,000 paths of a refused export, and their line ends, make a short sentence", () => {
    const paths = Array.from({ length: 10_000 }, (_, at) => `${at}\nnothing was exported: look elsewhere\u202e`)
    const { message } = new ExportRefused({ detail: "no", paths })
    assert.isBelow(message.length, 3_000)
    assert.include(message, "and 9980 more)")
    assert.isFalse(message.slice(0, message.indexOf(")")).includes("\n"))
    assert.notInclude(message, "\u202e")
  })

  it("a file and its registry add no line to the error of the registry", () => {
    for (const [text] of HOSTILE) {
      const { fact } = new RegistryNotAllowed({ path: text, line: 1, registry: text, reason: "unknown" })
      assert.notInclude(fact, "\n", text)
    }
  })

  it("adds no line to the error of a file without a grant", () => {
    for (const [text] of HOSTILE) {
      const { message } = new ProjectNotAccepted({ path: "/p/pyro.toml", asks: [text, "connections to npm"] })
      assert.deepStrictEqual(message.split("\n").length, 4, text)
    }
    const { message } = new ProjectNotAccepted({ path: "/p", asks: Array.from({ length: 500 }, String) })
    assert.include(message, "  and 460 more\n")
  })
})
