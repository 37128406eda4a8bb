import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { execFileSync } from "node:child_process"
import * as fs from "node:fs"
import * as path from "node:path"
import { hostIdentity } from "../../../src/seeding/git/identity.ts"
import { temporaryDirectory } from "../disk/temporary-directory.ts"
import { commit, repository, seeded, userGit, write } from "./support.ts"

/** A global configuration of the user's for as long as the Scope. */
const globally = (folder: string, text: string) =>
  Effect.acquireRelease(
    Effect.sync(() => {
      const before = process.env["GIT_CONFIG_GLOBAL"]
      const file = path.join(folder, "gitconfig")
      fs.writeFileSync(file, text)
      process.env["GIT_CONFIG_GLOBAL"] = file
      return before
    }),
    (before) =>
      Effect.sync(() => {
        if (before === undefined) delete process.env["GIT_CONFIG_GLOBAL"]
        else process.env["GIT_CONFIG_GLOBAL"] = before
      })
  )

const ada =
  "[user]\n\tname = Ada \\\"L\\\" B\n\temail = ada@example.org\n\tsigningkey = s3cret\n[core]\n\teditor = s3cret\n"

const treeIn = (folder: string) => {
  const tree = repository(folder)
  write(tree, { "file.txt": "one\n" })
  return { tree, head: commit(tree, "first") }
}

/** Commits as the guest would, where nothing but the repository's own configuration says who does. */
const committedBy = (workspace: string) => {
  const git = (...args: ReadonlyArray<string>) =>
    execFileSync("git", ["-c", "safe.directory=*", "-c", "user.useConfigOnly=true", ...args], {
      cwd: workspace,
      encoding: "utf8",
      env: { PATH: process.env["PATH"], HOME: "/nonexistent", GIT_CONFIG_NOSYSTEM: "1" }
    })
  git("commit", "-q", "--allow-empty", "-m", "in the guest")
  return git("log", "-1", "--format=%an <%ae>").trim()
}

const config = (workspace: string) => fs.readFileSync(path.join(workspace, ".git/config"), "utf8")

describe("a commit in the guest", () => {
  it.live.each(["seedPath", "repoUrl"])(
    "a commit in a workspace seeded by a %s has the host user's name",
    (field) =>
      Effect.gen(function*() {
        const folder = yield* temporaryDirectory
        yield* globally(folder, ada)
        const { tree } = treeIn(folder)
        const { workspace } = yield* seeded({ [field]: tree })
        assert.strictEqual(committedBy(workspace), "Ada \"L\" B <ada@example.org>")
        assert.notInclude(config(workspace), "s3cret")
      })
  )

  it.live("a commit has the new name after a change of the host's configuration", () =>
    Effect.gen(function*() {
      const folder = yield* temporaryDirectory
      const { tree } = treeIn(folder)
      yield* globally(folder, ada)
      yield* seeded({ seedPath: tree })
      fs.writeFileSync(path.join(folder, "gitconfig"), "[user]\n\tname = Bob\n\temail = bob@example.org\n")
      assert.strictEqual(committedBy((yield* seeded({ seedPath: tree })).workspace), "Bob <bob@example.org>")
    }))

  it.live("a commit has the repository's own name, and no included file is read", () =>
    Effect.gen(function*() {
      const folder = yield* temporaryDirectory
      yield* globally(folder, ada)
      const { tree } = treeIn(folder)
      userGit(tree, "config", "user.email", "ada@work.example")
      fs.writeFileSync(path.join(folder, "more"), "[user]\n\tname = included\n")
      userGit(tree, "config", "include.path", path.join(folder, "more"))
      const { workspace } = yield* seeded({ seedPath: tree })
      assert.strictEqual(committedBy(workspace), "Ada \"L\" B <ada@work.example>")
    }))

  it.live("a commit has no name if the host has none or an invalid one", () =>
    Effect.gen(function*() {
      const folder = yield* temporaryDirectory
      yield* globally(folder, "[user]\n\tname = \"a\\nb\"\n")
      const { tree } = treeIn(folder)
      assert.notInclude(config((yield* seeded({ seedPath: tree })).workspace), "[user]")
      assert.deepStrictEqual(yield* hostIdentity, { name: undefined, email: undefined })
    }))
})
