import { readFileSync } from "node:fs"
import { assert, describe, it } from "vitest"
import { route } from "../../../src/cli/arguments/argv.ts"
import { groupSummary, help, helpColumns, usageOf } from "../../../src/cli/help/help.ts"
import { workspaceGroups } from "../../../src/cli/help/verb-groups.ts"
import { commands } from "../../../src/cli/rows/rows.ts"

describe("help", () => {
  it.each(commands.map((row) => [row.cli.path.join(" "), row] as const))(
    "the help of %s shows its full path",
    (path, row) => {
      const text = help(row.cli.path)
      assert.include(text, `Usage\n  pyro ${path}`)
      assert.include(text, usageOf(row))
    }
  )

  it("a group names PYRO_WORKSPACE if one of its verbs takes a workspace", () => {
    assert.include(help(["workspace", "snapshot"]), "PYRO_WORKSPACE")
    assert.notInclude(help(["workspace", "saved"]), "PYRO_WORKSPACE")
  })

  it("the help of run shows its flags, defaults and ranges", () => {
    const text = help(["run"], 100)
    assert.match(text, /--mem-mib MIB +Guest memory in MiB \(128 to 1048576\) \[default: 1024\]/)
    assert.match(text, /--env NAME=VALUE/)
    assert.notMatch(text, /--rows|--cols|--command|--memory-mib/)
  })

  it("no line of a help is wider than its columns, but an example", () => {
    const paths = new Set(commands.flatMap(({ cli: { path } }) => path.map((_, at) => path.slice(0, at).join(" "))))
    const all = [
      ...[...paths].map((path) => path.split(" ").filter((word) => word !== "")),
      ...commands.map((row) => row.cli.path)
    ]
    const examples = new Set(commands.flatMap((row) => row.cli.examples.map((example) => `  ${example}`)))
    for (const path of all) {
      for (const columns of [80, 100]) {
        for (const line of help(path, columns).split("\n")) {
          if (!examples.has(line)) assert.isAtMost(line.length, columns, line)
        }
      }
    }
  })

  it("the columns of help are those of COLUMNS or of the terminal, else 80", () => {
    assert.deepStrictEqual(
      [
        helpColumns(undefined, undefined),
        helpColumns(undefined, 90),
        helpColumns("60", 90),
        helpColumns("60", undefined),
        helpColumns("wide", undefined),
        helpColumns("0", undefined),
        helpColumns("1", undefined),
        helpColumns(undefined, 300)
      ],
      [80, 90, 60, 60, 80, 80, 40, 100]
    )
    assert.isAbove(help(["run"], 60).split("\n").length, help(["run"]).split("\n").length)
  })

  it("the help of pyro names each first word once, and the verbs that people need first, in at most 50 lines", () => {
    const lines = help([]).split("\n")
    assert.isAtMost(lines.length, 50)
    const listed = lines.flatMap((line) => /^ {2}([a-z]+) {2,}\S/.exec(line)?.slice(1) ?? [])
    const firsts = new Set(commands.map((row) => row.cli.path[0]))
    const verbs = ["run", "up", "down", "demo", "create", "exec", "diff", "rewind", "export"]
    assert.deepStrictEqual([...firsts, ...verbs].filter((word) => !listed.includes(word)), [])
    assert.deepStrictEqual(listed.filter((word, at) => listed.indexOf(word) !== at), [])
    for (const word of listed) assert.strictEqual(route([word, "--help"])._tag, "Help", word)
  })

  it("the help of pyro shows a Dockerfile's workspace, a rewind, and an export into the project", () => {
    for (const example of ["create --dockerfile .", "rewind fix", "export fix --apply"]) {
      assert.include(help([]), `\n  pyro ${example}`)
    }
  })

  it("each command of the help of workspaces is in one group, and the daily ones are first", () => {
    const verbs = commands.flatMap(({ cli: { path: [group, ...words] } }) =>
      group === "workspace" ? [words.join(" ")] : []
    )
    const listed = workspaceGroups.flatMap(([, words]) => words)
    assert.deepStrictEqual([...listed].sort(), [...verbs].sort())
    const text = help(["workspace"])
    const places = workspaceGroups.map(([title]) => text.indexOf(`\n${title}\n`))
    assert.deepStrictEqual([...places].sort((a, b) => a - b), places)
    assert.isAbove(places[0]!, 0)
    assert.strictEqual(workspaceGroups[0]![0], "Daily")
  })

  it("each group of commands has a summary", () => {
    const words = commands.map(({ cli }) => cli.path[0])
    const several = [...new Set(words)].filter((word) => words.indexOf(word) !== words.lastIndexOf(word))
    assert.deepStrictEqual(several.filter((word) => groupSummary(word) === undefined), [])
  })

  it("package.json names the manual page of each first word", () => {
    const { man } = JSON.parse(readFileSync(new URL("../../../package.json", import.meta.url), "utf8"))
    const words = [...new Set(commands.map((row) => `-${row.cli.path[0]}`))].sort()
    assert.deepStrictEqual(man, ["", ...words].map((word) => `dist/man/pyro${word}.1`))
  })

  it("the help of a group with one verb is the verb's help", () => {
    assert.strictEqual(help(["mcp"]), help(["mcp", "serve"]))
    assert.match(help(["mcp"]), /--allow-export PATH/)
  })

  it("the help of the group that a workspace has, too, lists the verbs of both", () => {
    const lines = help(["network"]).split("\n").flatMap((line) => /^ {2}([a-z]+) {2,}/.exec(line)?.slice(1) ?? [])
    assert.deepStrictEqual(lines, ["lists", "set", "log"])
    assert.match(help(["network", "set"]), /^Replace the network policy/)
  })

  it("the help of a group lists every verb with its summary", () => {
    for (const group of ["workspace", "env", "daemon"]) {
      const lines = help([group], 200).split("\n")
      for (const row of commands.filter((one) => one.cli.path[0] === group)) {
        const verb = row.cli.path.slice(1).join(" ")
        assert.strictEqual(
          lines.filter((line) => line.startsWith(`  ${verb} `) && line.endsWith(row.summary)).length,
          1
        )
      }
    }
  })

  it("no help has the text that @effect/cli adds", () => {
    for (const row of commands) assert.notMatch(help(row.cli.path), /wizard|log-level|completions/)
  })
})
