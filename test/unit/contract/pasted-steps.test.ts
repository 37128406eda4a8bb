import { Effect } from "effect"
import { execFileSync } from "node:child_process"
import { mkdtempSync, readdirSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import * as path from "node:path"
import { afterAll, assert, describe, it } from "vitest"
import { route, splitArgv } from "../../../src/cli/arguments/argv.ts"
import { parse } from "../../../src/cli/arguments/parser.ts"
import { commandLine, typedStep } from "../../../src/contract/rows/next-steps.ts"
import { operations } from "../../../src/contract/rows/operations.ts"
import { printable } from "../../../src/contract/text/printable.ts"

/** Values that a guest, a repository or a registry could have chosen. */
const hostile: ReadonlyArray<string> = [
  "$(touch pwned)",
  "`touch pwned`",
  "; touch pwned;",
  "| touch pwned",
  "& touch pwned &",
  "> pwned",
  "a' ; touch pwned ; '",
  "\"$(touch pwned)\"",
  "back\\slash\\",
  "!touch",
  "!!'!!",
  "#x",
  "=ls",
  "~root",
  "*",
  "{a,b}",
  "-x",
  "--apply",
  "--all",
  "--",
  "",
  " ",
  "two\nlines",
  "tab\tstop",
  "red\u001b[31m'!\\",
  "\u001b[201~\rtouch pwned\r",
  "bell\u0007del\u007fc1\u009b",
  "\u202eleft\u200bzero",
  "ü€𝄞"
]

const folder = mkdtempSync(path.join(tmpdir(), "pyro-pasted-"))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** The words that each of the lines gives to pyro. */
const wordsIn = (shell: string, lines: ReadonlyArray<string>): ReadonlyArray<ReadonlyArray<string>> => {
  const script = `pyro() { printf '%s\\0' "$#" "$@"; }\n${lines.join("\n")}\n`
  const options = shell === "bash" ? ["--norc", "--noprofile"] : ["-f"]
  const said = execFileSync(shell, [...options, "-c", script], {
    cwd: folder,
    encoding: "utf8",
    env: { PATH: process.env["PATH"], LC_ALL: "C.UTF-8" }
  }).split("\0")
  const found: Array<ReadonlyArray<string>> = []
  for (let at = 0; at < said.length - 1;) {
    const count = Number(said[at])
    found.push(said.slice(at + 1, at + 1 + count))
    at += 1 + count
  }
  return found
}

const rowOf = (name: string) => {
  const row = operations.find((one) => one.name === name)
  if (row === undefined) throw new Error(`no operation ${name}`)
  return row
}

/** Calls with a text as an operand, as a list, as the value of an option, and behind `--`. */
const callsWith = (text: string) =>
  [
    ["workspace.file.read", { workspace: "fix", path: text }],
    ["workspace.export", { workspace: "fix", path: text, output: text }],
    ["workspace.delete", { workspaces: [text, "b"] }],
    ["workspace.network.set", { workspace: "fix", allow_hosts: [text], deny_hosts: ["b", text] }],
    ["workspace.service.stop", { workspace: "fix", name: text }],
    ["env.pull", { environment: text }],
    ["workspace.exec", { workspace: "fix", command: ["ls", text] }]
  ] as const

describe.each(["bash", "zsh"])("a step that a person pastes into %s", (shell) => {
  it("is the call that it says, whatever text is in it", () => {
    const calls = hostile.flatMap(callsWith)
    const lines = calls.map(([name, given]) => printable(commandLine(rowOf(name), given, [])))
    const pasted = wordsIn(shell, lines)
    assert.deepStrictEqual(readdirSync(folder), [])
    assert.lengthOf(pasted, calls.length)
    for (const [at, [name, given]] of calls.entries()) {
      const { own, rest } = splitArgv(pasted[at]!)
      const routed = route(own)
      if (routed._tag !== "Operation") throw new Error(`${lines[at]} is no operation`)
      assert.strictEqual(routed.operation.name, name, lines[at])
      const { lists, raw } = Effect.runSync(Effect.orDie(parse(routed.operation, routed.words, rest)))
      assert.deepEqual<unknown>({ ...raw, ...lists }, { ...given }, lines[at])
    }
  })

  it("gives an option the value that it says", () => {
    const lines = hostile.map((value) =>
      printable(typedStep({ label: "Do it", option: "output", value }, rowOf("workspace.export").cli)).replace(
        "Do it: ",
        "pyro "
      )
    )
    const pasted = wordsIn(shell, lines)
    assert.deepStrictEqual(readdirSync(folder), [])
    assert.deepStrictEqual(
      pasted.map((words) => words.join("\0")),
      hostile.map((value) => value.startsWith("-") ? `--output=${value}` : `--output\0${value}`)
    )
  })
})
