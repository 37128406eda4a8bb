import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { execFileSync } from "node:child_process"
import * as fs from "node:fs"
import * as path from "node:path"
import { temporaryDirectory } from "../disk/temporary-directory.ts"
import { commit, globally, repository, seeded, userGit, write } from "./support.ts"

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
    }))

  it.live.each([
    { kind: "gitdir", condition: (tree: string) => `gitdir:${path.dirname(tree)}/` },
    { kind: "hasconfig", condition: () => "hasconfig:remote.*.url:https://corp.example/**" },
    { kind: "onbranch", condition: () => "onbranch:ma*" }
  ])("a commit has the name of a conditional include: $kind", ({ condition }) =>
    Effect.gen(function*() {
      const folder = yield* temporaryDirectory
      const { tree } = treeIn(folder)
      userGit(tree, "remote", "add", "origin", "https://corp.example/q.git")
      fs.writeFileSync(path.join(folder, "work"), "[user]\n\temail = ada@work.example\n")
      yield* globally(folder, `${ada}[includeIf "${condition(tree)}"]\n\tpath = work\n`)
      assert.strictEqual(committedBy((yield* seeded({ seedPath: tree })).workspace), "Ada \"L\" B <ada@work.example>")
    }))

  it.live("a commit has no name of a conditional include for another repository", () =>
    Effect.gen(function*() {
      const folder = yield* temporaryDirectory
      const { tree } = treeIn(folder)
      fs.writeFileSync(path.join(folder, "work"), "[user]\n\temail = ada@work.example\n")
      yield* globally(folder, `${ada}[includeIf "gitdir:${folder}/other/"]\n\tpath = work\n`)
      assert.include(committedBy((yield* seeded({ seedPath: tree })).workspace), "<ada@example.org>")
    }))

  it.live("a commit has the name of a linked work tree's own configuration", () =>
    Effect.gen(function*() {
      const folder = yield* temporaryDirectory
      yield* globally(folder, ada)
      const { tree } = treeIn(folder)
      const linked = path.join(folder, "linked")
      userGit(tree, "worktree", "add", "-q", "-b", "side", linked)
      userGit(tree, "config", "extensions.worktreeConfig", "true")
      userGit(linked, "config", "--worktree", "user.email", "ada@side.example")
      assert.include(committedBy((yield* seeded({ seedPath: linked })).workspace), "<ada@side.example>")
      assert.include(committedBy((yield* seeded({ seedPath: tree })).workspace), "<ada@example.org>")
    }))
})
