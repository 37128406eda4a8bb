import { spawn as spawnTerminal } from "node-pty"
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { delimiter, join } from "node:path"
import { afterAll, assert, describe, it } from "vitest"
import { buildFake } from "./build-fake.ts"
import { eventually } from "./cli-process.ts"
import { interactive, type Shell } from "./shells.ts"

const binary = buildFake()
const folder = mkdtempSync(join(tmpdir(), "pyro-hostile-completion-"))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** Names that a guest could give to a file: each would do something if a shell took it as it is. */
const hostile: ReadonlyArray<string> = [
  "$(touch pwned)",
  "`touch pwned`",
  ";touch pwned;",
  "|touch pwned",
  "&touch pwned&",
  "> pwned",
  "a b",
  "it's",
  "\"$(touch pwned)\"",
  "'$(touch pwned)'",
  "back\\slash",
  "!touch",
  "${IFS}touch",
  "*",
  "{a,b}",
  "[x]",
  "#x",
  "=ls",
  "%1",
  "~root",
  "-x",
  "--apply",
  "ü€𝄞",
  "n".repeat(255)
]

/** An interactive shell whose pyro completes by the lines of a file, and writes the words of any other command into another. */
const session = (shell: Shell) => {
  const place = join(folder, shell)
  const [bin, work, said, names] = ["bin", "work", "said", "names"].map((one) => join(place, one)) as [
    string,
    string,
    string,
    string
  ]
  for (const one of [bin, work]) mkdirSync(one, { recursive: true })
  const script = `#!/bin/sh
case $1 in
  completion) exec "${process.execPath}" "${binary.entry}" "$@" ;;
  __complete) while [ $# -gt 1 ]; do shift; done; grep -F -- "$1" "${names}"; exit 0 ;;
esac
printf '%s\\n' "$@" > "${place}/new"
mv "${place}/new" "${said}"
`
  writeFileSync(join(bin, "pyro"), script, { mode: 0o755 })
  const { args, variables } = interactive(shell, place, `cd '${work}'`)
  const env = { ...process.env, ...binary.env, ...variables, LANG: "C.UTF-8", LC_ALL: "C.UTF-8" }
  const terminal = spawnTerminal(shell, [...args], {
    rows: 50,
    cols: 400,
    name: "xterm",
    env: { ...env, PATH: `${bin}${delimiter}${process.env["PATH"]}` } as Record<string, string>
  })
  let screen = ""
  terminal.onData((text) => {
    screen += text
  })
  const prompted = () => eventually("the prompt", () => screen.includes("ready> "), () => screen)
  return {
    close: () => terminal.kill("SIGKILL"),
    /** The words that pyro gets when a person types a line, presses TAB, and then the return key. */
    given: async (candidates: ReadonlyArray<string>, line: string) => {
      await prompted()
      writeFileSync(names, candidates.map((one) => `${one}\n`).join(""))
      terminal.write(`${line}\t`)
      // A shell takes what comes right behind a TAB for pasted, so the key is pressed until it counts.
      const entering = setInterval(() => terminal.write("\r"), 300)
      await eventually("the command", () => existsSync(said), () => screen).finally(() => clearInterval(entering))
      assert.isFalse(existsSync(join(work, "pwned")), screen)
      const words = readFileSync(said, "utf8").split("\n").slice(0, -1)
      rmSync(said)
      screen = ""
      terminal.write("\r")
      return words
    }
  }
}

describe.each(["bash", "zsh", "fish"] as const)("names that a guest chose, in %s", (shell) => {
  it(`${shell} completes each to one word, and runs nothing`, { timeout: 180_000 }, async () => {
    const { close, given } = session(shell)
    try {
      for (const name of hostile) {
        assert.deepStrictEqual(
          await given([`src/${name}`], "pyro file read fix src/"),
          ["file", "read", "fix", `src/${name}`]
        )
        // pyro offers no such name without its directory.
        if (!/^[-~]/.test(name)) {
          assert.deepStrictEqual(await given([name], "pyro file read fix "), ["file", "read", "fix", name])
        }
      }
    } finally {
      close()
    }
  })

  it(`${shell} completes one name among 10,000 long ones`, async () => {
    const names = Array.from(
      { length: 10_000 },
      (_, at) => `src/${String(at).padStart(5, "0")}-${"$(touch pwned)".padEnd(249, "n")}`
    )
    const { close, given } = session(shell)
    try {
      assert.deepStrictEqual(
        await given(names, "pyro file read fix src/09999"),
        ["file", "read", "fix", names[9_999]]
      )
    } finally {
      close()
    }
  })
})
