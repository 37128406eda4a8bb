import { assert } from "@effect/vitest"
import { Effect } from "effect"
import { execFileSync, spawnSync } from "node:child_process"
import * as fs from "node:fs"
import * as path from "node:path"
import { withAgent } from "./agent.ts"
import { workspace } from "./diff-workspace.ts"

/** The user's git, with a filter that changes contents. */
const settings = [
  "user.name=A",
  "user.email=a@example.org",
  "filter.up.clean=tr a-z A-Z",
  "filter.up.smudge=tr A-Z a-z"
]
const git = (cwd: string, args: ReadonlyArray<string>, input?: string | Uint8Array) =>
  spawnSync("git", [...settings.flatMap((one) => ["-c", one]), ...args], {
    cwd,
    input: input ?? "",
    env: { PATH: process.env["PATH"], HOME: "/nonexistent", GIT_CONFIG_NOSYSTEM: "1" }
  })

const utf16 = (text: string) => Buffer.from(`\ufeff${text}`, "utf16le")
const long = Array.from({ length: 30 }, (_, at) => `line ${at}\n`).join("")

const seededFiles: Readonly<Record<string, string | Buffer>> = {
  ".gitattributes":
    "# converted\n*.id ident\nno.id -ident\n\"a b.u16\" working-tree-encoding=UTF-16LE-BOM\n*.up filter=up\n",
  "near.id": "$Id$\nsecond\n",
  "far.id": `$Id$\n${long}`,
  "no.id": "$Id: kept$\nsecond\n",
  "a b.u16": utf16("one\ntwo\n"),
  "deep/.gitattributes": "*.txt working-tree-encoding=UTF-16LE-BOM\nplain.txt -working-tree-encoding\ndeep/ ident\n",
  "deep/x.txt": utf16("one\n"),
  "deep/plain.txt": "one\n",
  "filtered.up": "lower\nmore\n",
  "info.id2": "$Id$\nsecond\n",
  "plain": "one\n"
}

withAgent("a diff of files that git converts", (it) => {
  it.effect("names exactly the files whose patch git apply refuses, by the attributes of git", () =>
    Effect.gen(function*() {
      const { baseline, diff, live } = yield* workspace("converted", (tree) => {
        execFileSync("git", ["init", "-q", tree])
        fs.writeFileSync(path.join(tree, ".git/info/attributes"), "*.id2 ident\n")
        for (const [name, content] of Object.entries(seededFiles)) {
          fs.mkdirSync(path.dirname(path.join(tree, name)), { recursive: true })
          fs.writeFileSync(path.join(tree, name), content)
        }
        assert.strictEqual(git(tree, ["add", "-A"]).status, 0)
        assert.strictEqual(git(tree, ["commit", "-q", "-m", "first"]).status, 0)
        // The work tree has the expanded form, as after a clone.
        for (const name of Object.keys(seededFiles)) fs.rmSync(path.join(tree, name))
        assert.strictEqual(git(tree, ["checkout", "-q", "--", "."]).status, 0)
        assert.match(fs.readFileSync(path.join(tree, "near.id"), "utf8"), /^\$Id: [0-9a-f]{40} \$/)
      })
      const edit = (name: string, of: (content: string) => string, encoding: "utf8" | "utf16le" = "utf8") => {
        const file = path.join(live, name)
        fs.writeFileSync(file, Buffer.from(of(fs.readFileSync(file, encoding)), encoding))
      }
      for (const name of ["near.id", "no.id", "info.id2"]) edit(name, (text) => text.replace("second", "2nd"))
      edit("far.id", (text) => text.replace("line 20", "line twenty"))
      for (const name of ["a b.u16", "deep/x.txt"]) edit(name, (text) => text.replace("one", "1"), "utf16le")
      for (const name of ["deep/plain.txt", "plain"]) edit(name, (text) => text.replace("one", "1"))
      edit("filtered.up", (text) => text.replace("more", "less"))
      const refused: Array<string> = []
      for (const name of Object.keys(seededFiles).filter((name) => !name.includes(".gitattributes"))) {
        const { patch = "" } = yield* diff({ paths: [name] })
        assert.isNotEmpty(patch, name)
        if (git(baseline, ["apply", "--check", "-"], patch).status !== 0) refused.push(name)
      }
      const whole = yield* diff()
      assert.deepStrictEqual([...whole.converted ?? []].sort(), refused.sort())
      assert.deepStrictEqual(refused, ["a b.u16", "deep/x.txt", "filtered.up", "info.id2", "near.id"])
      assert.strictEqual(whole.convertedCount, 5)
      const short = yield* diff({ nameOnly: true })
      assert.isUndefined(short.converted)
    }))

  it.effect("attributes of a hostile repository that take too long cost no more than a moment", () =>
    Effect.gen(function*() {
      const { diff, live } = yield* workspace("endless", (tree) => {
        fs.writeFileSync(path.join(tree, ".gitattributes"), `* ident\n${"*a*a*a*a*b ident filter=x\n".repeat(8_000)}`)
        for (let at = 0; at < 400; at++) fs.writeFileSync(path.join(tree, `${"a".repeat(100)}${at}`), "one $Id: x$\n")
      })
      for (const name of fs.readdirSync(live)) {
        if (name.startsWith("a")) fs.writeFileSync(path.join(live, name), "two\n")
      }
      const { convertedCount = 0, summary } = yield* diff()
      assert.strictEqual(summary.modified, 400)
      assert.isBelow(convertedCount, 400)
    }))
})
