import { assert, describe, it } from "vitest"
import { flagsOf } from "../../../src/cli/arguments/flags.ts"
import { pageOf } from "../../../src/cli/help/help-text.ts"
import { documentOf, help } from "../../../src/cli/help/help.ts"
import { commands } from "../../../src/cli/rows/rows.ts"
import type { CliSurface } from "../../../src/contract/rows/operation.ts"

/** A longer list needs groups. */
const MOST_WITHOUT = 15

const optionsOf = (row: typeof commands[number]) => [...flagsOf(row).map(({ name }) => name), "help"]
const groupsOf = ({ cli }: { readonly cli: CliSurface }) => Object.entries(cli.groups ?? {})

describe("groups of options", () => {
  it("a command with many options has groups, and create is one", () => {
    const long = commands.filter((row) => optionsOf(row).length > MOST_WITHOUT)
    assert.include(long.map(({ name }) => name), "workspace.create")
    assert.deepStrictEqual(long.filter((row) => groupsOf(row).length < 2).map(({ name }) => name), [])
  })

  const grouped = commands.filter((row) => groupsOf(row).length > 0)

  it.each(grouped.map((row) => [row.name, row] as const))("each option of %s is in one group", (_, row) => {
    assert.deepStrictEqual(groupsOf(row).flatMap(([, names]) => names).sort(), optionsOf(row).sort())
  })

  it.each(grouped.map((row) => [row.name, row] as const))(
    "the help of %s has each group once, with its options",
    (_, row) => {
      const page = pageOf(documentOf(row.cli.path))
      for (const [title, names] of groupsOf(row)) {
        const at = page.findIndex((block) => block._tag === "Header" && block.text === title)
        const block = page[at + 1]
        assert.deepStrictEqual(
          block?._tag === "Rows" ? block.rows.map(([term]) => /--([a-z-]+)/.exec(term)?.[1]) : [],
          [...names]
        )
      }
      assert.notInclude(help(row.cli.path), "\nOptions\n")
    }
  )

  it("create begins with the files to start from, and ends with rare options", () => {
    const text = help(["workspace", "create"])
    const places = ["--seed-path PATH", "--dockerfile PATH", "--name TEXT", "--allow-host", "--mem-mib", "--rebuild"]
      .map((one) => text.indexOf(`  ${one}`))
    assert.deepStrictEqual([...places].sort((a, b) => a - b), places)
    assert.isAbove(places[0]!, 0)
  })
})
