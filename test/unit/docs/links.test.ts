import { execFileSync, spawnSync } from "node:child_process"
import * as fs from "node:fs"
import * as path from "node:path"
import { assert, describe, it } from "vitest"
import { temporaryFolder } from "../../support/pyro-cli.ts"

const checker = path.resolve(import.meta.dirname, "../../../scripts/docs/links.mjs")

/** Checks a repository of these files; gives the exit status and the lines of stderr. */
const check = (files: Readonly<Record<string, string>>) => {
  const { folder, remove } = temporaryFolder("pyro-links-")
  try {
    execFileSync("git", ["init", "-q"], { cwd: folder })
    for (const [name, text] of Object.entries(files)) {
      fs.mkdirSync(path.dirname(path.join(folder, name)), { recursive: true })
      fs.writeFileSync(path.join(folder, name), text)
    }
    const { status, stderr } = spawnSync(process.execPath, [checker, folder], { encoding: "utf8" })
    return { status, lines: stderr.split("\n").slice(0, -1) }
  } finally {
    remove()
  }
}

const isAlive = (files: Readonly<Record<string, string>>) =>
  assert.deepStrictEqual(check(files), { status: 0, lines: [] })

const isDead = (files: Readonly<Record<string, string>>, ...lines: ReadonlyArray<string>) =>
  assert.deepStrictEqual(check(files), { status: 1, lines: [...lines] })

describe("the link checker", () => {
  it("the link checker accepts links to files, directories, headings, lines and other sites", () => {
    isAlive({
      "README.md": [
        "# The first `thing`, & more",
        "[a](docs/a.md) [b](docs/a.md#two-words-1) [c](#the-first-thing--more) [d](docs/) [e](src/x.ts#L2)",
        "[f](https://example.org/none.md) ![g](<docs/with space.md> \"title\") [h][ref]",
        "",
        "[ref]: docs/a.md"
      ].join("\n"),
      "docs/a.md": "## Two words\n## Two words\n[up](../README.md)\n",
      "docs/with space.md": "",
      "src/x.ts": "one\ntwo\n"
    })
  })

  it("the link checker names each dead link with its page and line", () => {
    isDead(
      {
        "README.md": "[a](none.md)\n\n[b](docs/a.md#none) [c](docs/a.md#L1)\n[d][]\n\n[d]: gone\n",
        "docs/a.md": "# A\n"
      },
      "README.md:1: none.md: no such file",
      "README.md:3: docs/a.md#none: no such heading or line",
      "README.md:3: docs/a.md#L1: no such heading or line",
      "README.md:6: gone: no such file"
    )
  })

  it("the link checker refuses a line that the file does not have, and a file outside the repository", () => {
    isDead(
      { "a.md": "[a](x.ts#L9) [b](../../etc/passwd)\n", "x.ts": "one\n" },
      "a.md:1: x.ts#L9: no such heading or line",
      "a.md:1: ../../etc/passwd: outside the repository"
    )
  })

  it("the link checker reads no links in code, and checks paths of the repository in code spans", () => {
    isAlive({
      "a.md":
        "`[a](none.md)` `src/<name>.ts` `guest-agent/build/agent`\n\n```sh\n[a](none.md) `src/none.ts`\n# none\n```\n"
    })
    isDead({ "docs/a.md": "See `src/none.ts`.\n" }, "docs/a.md:1: src/none.ts: no such file")
  })

  it("the link checker accepts removed paths in the changelog, and checks its links", () => {
    isDead({ "CHANGELOG.md": "`src/gone.ts` [a](gone.md)\n" }, "CHANGELOG.md:1: gone.md: no such file")
  })

  it("the link checker leaves out pages that git ignores", () => {
    isAlive({ ".gitignore": "node_modules\n", "node_modules/x/README.md": "[a](none.md)\n" })
  })

  it("the link checker names pages that the README leads to on no way", () => {
    isDead(
      {
        "README.md": "[all](docs/README.md#all)\n",
        "docs/README.md": "# All\n[a](a.md)\n",
        "docs/a.md": "[up](../README.md)\n",
        "docs/b.md": "[c](c.md)\n",
        "docs/c.md": "[b](b.md)\n"
      },
      "docs/b.md: no page that README.md leads to has a link to it",
      "docs/c.md: no page that README.md leads to has a link to it"
    )
  })
})
