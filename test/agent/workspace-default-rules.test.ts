import { assert } from "@effect/vitest"
import { Effect } from "effect"
import * as fs from "node:fs"
import { withAgent } from "./agent.ts"
import { said, workspace } from "./diff-workspace.ts"
import { changesOf } from "./whole-changes.ts"

const write = (folder: string, ...names: ReadonlyArray<string>) => {
  for (const name of names) {
    const file = `${folder}/${name}`
    fs.mkdirSync(file.slice(0, file.lastIndexOf("/")), { recursive: true })
    fs.writeFileSync(file, `${name} ${folder.length}\n`)
  }
}

/** What tools leave in a project. */
const MADE = [
  "__pycache__/a.pyc",
  "pkg/__pycache__/a.pyc",
  "b.pyc",
  "node_modules/x/index.js",
  "web/node_modules/.bin/x",
  ".pnpm-store/v10/files/x",
  ".venv/bin/python",
  ".pytest_cache/v",
  ".mypy_cache/3/x",
  ".ruff_cache/x",
  ".tox/x",
  "app/.gradle/x",
  "crate/target/debug/x"
]

withAgent("a diff without ignore rules", (it) => {
  it.effect("leaves out what tools make, and names the patterns", () =>
    Effect.gen(function*() {
      const { channel, diff, live, trees } = yield* workspace("archive", (tree) =>
        write(tree, "a.py", "crate/Cargo.toml"))
      write(live, ...MADE, "b.py", "docs/target/page.md", "docs/target/node_modules/x", "target")
      const own = ["added b.py", "added docs/target/page.md", "added target"]
      const result = yield* diff()
      assert.deepStrictEqual(said(result.files), own)
      assert.strictEqual(result.ignoredCount, MADE.length + 1)
      assert.deepStrictEqual(result.defaultRules, [
        "*.pyc",
        ".gradle/",
        ".mypy_cache/",
        ".pnpm-store/",
        ".pytest_cache/",
        ".ruff_cache/",
        ".tox/",
        ".venv/",
        "__pycache__/",
        "node_modules/",
        "target/"
      ])
      // An export takes the same changes.
      assert.strictEqual((yield* changesOf(channel, { trees })).length, own.length)
      const all = yield* diff({ includeIgnored: true })
      assert.deepStrictEqual([all.summary.files, all.defaultRules], [own.length + MADE.length + 1, undefined])
      const named = yield* diff({ paths: ["node_modules/x", "b.pyc", "pkg"] })
      assert.deepStrictEqual(said(named.files), ["added b.pyc", "added node_modules/x/index.js"])
      assert.deepStrictEqual(named.defaultRules, ["__pycache__/"])
    }))

  it.effect("keeps what the seed has, and what is new in its directories", () =>
    Effect.gen(function*() {
      const { diff, live } = yield* workspace("seeded", (tree) =>
        write(tree, "node_modules/x/index.js", "old.pyc", "target/a", "pom.xml"))
      write(live, "node_modules/x/index.js", "node_modules/y/index.js", "old.pyc", "target/a", "target/b")
      fs.symlinkSync("/elsewhere", `${live}/.venv`)
      const result = yield* diff()
      assert.deepStrictEqual(said(result.files), [
        "added .venv",
        "modified node_modules/x/index.js",
        "added node_modules/y/index.js",
        "modified old.pyc",
        "modified target/a",
        "added target/b"
      ])
      assert.deepStrictEqual([result.ignoredCount, result.defaultRules], [0, undefined])
    }))

  it.effect("goes by the rules of the seed where it has an ignore file or a repository", () =>
    Effect.gen(function*() {
      const { diff, live } = yield* workspace("ruled", (tree) => {
        write(tree, "git/.git/HEAD", "git/a", "plain/a")
        fs.mkdirSync(`${tree}/rules/sub`, { recursive: true })
        fs.writeFileSync(`${tree}/rules/.gitignore`, "*.o\n")
      })
      for (const folder of ["git", "git/sub", "plain", "rules", "rules/sub"]) {
        write(`${live}/${folder}`, "node_modules/x")
      }
      const result = yield* diff()
      assert.deepStrictEqual(said(result.files), [
        "added git/node_modules/x",
        "added git/sub/node_modules/x",
        "added rules/node_modules/x",
        "added rules/sub/node_modules/x"
      ])
      assert.deepStrictEqual([result.ignoredCount, result.defaultRules], [1, ["node_modules/"]])
    }))

  it.effect("leaves out pnpm's store at the top in every workspace, and names it", () =>
    Effect.gen(function*() {
      const { diff, live } = yield* workspace("pnpm", (tree) => {
        write(tree, "pnpm-lock.yaml", ".git/HEAD")
        fs.writeFileSync(`${tree}/.gitignore`, "node_modules\n")
      })
      write(live, ".pnpm-store/v10/files/00/x", "node_modules/dep/index.js", "packages/a/.pnpm-store/x")
      const result = yield* diff()
      assert.deepStrictEqual(said(result.files), ["added packages/a/.pnpm-store/x"])
      assert.deepStrictEqual([result.ignoredCount, result.defaultRules], [2, [".pnpm-store/"]])
      const named = yield* diff({ paths: [".pnpm-store"] })
      assert.deepStrictEqual(said(named.files), ["added .pnpm-store/v10/files/00/x"])
    }))

  it.effect("keeps new files in pnpm's store if the seed has the store", () =>
    Effect.gen(function*() {
      const { diff, live } = yield* workspace("pnpm-seeded", (tree) => write(tree, ".pnpm-store/v10/files/00/y"))
      write(live, ".pnpm-store/v10/files/00/x")
      assert.deepStrictEqual(said((yield* diff()).files), ["added .pnpm-store/v10/files/00/x"])
    }))
})
