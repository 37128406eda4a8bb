import { assert } from "@effect/vitest"
import { Effect } from "effect"
import { execFileSync } from "node:child_process"
import * as fs from "node:fs"
import { withAgent } from "./agent.ts"
import { said, workspace } from "./diff-workspace.ts"
import { changesOf } from "./whole-changes.ts"

const write = (folder: string, files: Readonly<Record<string, string>>) => {
  for (const [name, content] of Object.entries(files)) {
    const file = `${folder}/${name}`
    fs.mkdirSync(file.slice(0, file.lastIndexOf("/")), { recursive: true })
    fs.writeFileSync(file, content)
  }
}

const git = (cwd: string, ...args: ReadonlyArray<string>) =>
  execFileSync("git", ["-c", "user.name=A", "-c", "user.email=a@example.org", ...args], {
    cwd,
    env: { PATH: process.env["PATH"], HOME: "/nonexistent", GIT_CONFIG_NOSYSTEM: "1" },
    stdio: "ignore"
  })

withAgent("a workspace's diff", (it) => {
  it.effect("diff leaves out and names repositories, work trees and submodules that a command made", () =>
    Effect.gen(function*() {
      const { channel, diff, live, trees } = yield* workspace("nested", (tree) => {
        write(tree, { "file": "one\n", "seeded/.git/HEAD": "ref: refs/heads/main\n", "seeded/x": "x\n" })
        write(tree, { "module/README": "m\n", "plain/p": "p\n" })
        git(tree, "init", "-q")
        git(tree, "add", "file")
        git(tree, "commit", "-q", "-m", "first")
      })
      git(live, "worktree", "add", "-q", ".worktrees/one", "-b", "one")
      git(live, "clone", "-q", ".", "vendor/copy")
      git(live, "clone", "-q", ".", "vendor/copy/inner")
      git(live, "init", "-q", "module")
      write(live, {
        "module/new": "n\n",
        "module/README": "changed\n",
        "seeded/y": "y\n",
        "plain/q": "q\n",
        "file": "2\n"
      })
      const nested = [".worktrees/one", "module", "vendor/copy"]
      const result = yield* diff()
      const own = ["added plain/q", "added seeded/y", "modified file", "modified module/README"]
      assert.deepStrictEqual([...said(result.files)].sort(), own)
      assert.deepStrictEqual([result.nestedCount, result.nested, result.ignoredCount], [3, nested, 0])
      // An export takes the same changes.
      assert.strictEqual((yield* changesOf(channel, { trees })).length, own.length)
      const one = yield* diff({ paths: ["vendor/copy"] })
      assert.deepStrictEqual(said(one.files), ["added vendor/copy/file"])
      assert.deepStrictEqual(one.nested, ["vendor/copy/inner"])
      const within = yield* diff({ paths: ["vendor/copy/inner/file"] })
      assert.deepStrictEqual(said(within.files), ["added vendor/copy/inner/file"])
      const above = yield* diff({ paths: ["vendor"] })
      assert.deepStrictEqual([said(above.files), above.nested], [[], ["vendor/copy"]])
      const all = yield* diff({ includeIgnored: true })
      assert.isUndefined(all.nested)
      assert.include(said(all.files), "added .worktrees/one/file")
    }))

  it.effect("a repository at the top of a workspace hides nothing", () =>
    Effect.gen(function*() {
      const { diff, live } = yield* workspace("nested-top", (tree) => write(tree, { "a": "a\n" }))
      git(live, "init", "-q")
      write(live, { "b": "b\n" })
      const result = yield* diff()
      assert.deepStrictEqual([said(result.files), result.nested], [["added b"], undefined])
    }))
})
