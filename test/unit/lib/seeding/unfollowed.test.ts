import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as fs from "node:fs"
import * as path from "node:path"
import { listHost } from "../../../../src/lib/seeding/sync/host-tree.ts"
import { temporaryDirectory } from "../disk/temporary-directory.ts"
import { commit, hostServices, names, repository, seeded, status, userGit, write } from "./support.ts"

const files = { ".gitignore": ".env\n", "file.txt": "one\n", "deep/other": "two\n" }

/** A repository whose references are in reftables, as git 2.45 makes it. */
const reftable = (folder: string) => {
  const tree = repository(folder)
  write(tree, files)
  commit(tree, "first")
  userGit(tree, "config", "core.repositoryformatversion", "1")
  fs.appendFileSync(path.join(tree, ".git/config"), "[extensions]\n\trefstorage = reftable\n")
  fs.writeFileSync(path.join(tree, ".git/HEAD"), "ref: refs/heads/.invalid\n")
  fs.rmSync(path.join(tree, ".git/refs"), { recursive: true })
  write(tree, {
    ".git/refs/heads": "this repository uses the reftable format\n",
    ".git/reftable/tables.list": "x.ref\n"
  })
  return tree
}

/** A work tree whose `.git` names a repository that does not know it. */
const foreign = (folder: string) => {
  const [other, tree] = [repository(folder, "other"), path.join(folder, "tree")]
  write(other, files)
  commit(other, "secret")
  write(tree, { ...files, ".git": `gitdir: ${other}/.git\n` })
  return tree
}

const separate = (folder: string) => {
  const tree = path.join(folder, "tree")
  fs.mkdirSync(tree)
  userGit(tree, "init", "-q", "--separate-git-dir", path.join(folder, "elsewhere"))
  write(tree, files)
  commit(tree, "first")
  return tree
}

describe("a repository that is kept in another way", { concurrent: true }, () => {
  it.live.each([
    { kind: "reftable", make: reftable, says: /references are in the format reftable.*git refs migrate/ },
    { kind: "a foreign .git", make: foreign, says: /does not point back/ },
    {
      kind: "a broken .git",
      make: (folder: string) => {
        const tree = path.join(folder, "tree")
        write(tree, { ...files, ".git": "nothing\n" })
        return tree
      },
      says: /does not say where/
    }
  ])(
    "the ignore rules of its tree hold, and the report says why the guest has no .git: $kind",
    ({ make, says }) =>
      Effect.gen(function*() {
        const tree = make(yield* temporaryDirectory)
        write(tree, { ".env": "TOKEN=secret\n", "deep/.env": "x\n" })
        const { report, workspace } = yield* seeded({ seedPath: tree })
        assert.deepStrictEqual(names(workspace), [".gitignore", "deep", "file.txt"])
        assert.deepStrictEqual(names(path.join(workspace, "deep")), ["other"])
        assert.deepStrictEqual(report.skipped.map(({ path }) => path), [".git"])
        assert.match(report.skipped[0]!.reason, says)
        assert.deepStrictEqual([...report.left ?? []].sort(), [".env", "deep/.env"])
        const listed = yield* Effect.provide(listHost(tree, [], ""), hostServices)
        assert.deepStrictEqual([...listed.files.keys()].sort(), [".gitignore", "deep/other", "file.txt"])
        // The same of a repository in a repository.
        const outer = repository(path.dirname(tree), "outer")
        fs.renameSync(tree, path.join(outer, "inner"))
        const nested = yield* seeded({ seedPath: outer })
        assert.deepStrictEqual(
          names(path.join(nested.workspace, "inner")).filter((name) => name !== ".git"),
          [".gitignore", "deep", "file.txt"]
        )
      })
  )

  it.live("a repository by a path is refused with the reason if its references are in reftables", () =>
    Effect.gen(function*() {
      const tree = reftable(yield* temporaryDirectory)
      assert.include((yield* Effect.flip(seeded({ repoUrl: tree }))).message, "reftable")
    }))

  it.live("a work tree with its repository elsewhere is a seed with git", () =>
    Effect.gen(function*() {
      const tree = separate(yield* temporaryDirectory)
      write(tree, { "file.txt": "changed\n", ".env": "x\n" })
      const { report, workspace } = yield* seeded({ seedPath: tree })
      assert.strictEqual(status(workspace), status(tree))
      assert.deepStrictEqual(report.skipped, [])
    }))

  it.live("a repository elsewhere whose index knows no file of the tree is not followed", () =>
    Effect.gen(function*() {
      const folder = yield* temporaryDirectory
      const tree = separate(folder)
      // What an archive could hold: equal names, contents and times, and a link to the true tree.
      const copy = path.join(folder, "copy")
      fs.cpSync(tree, copy, { recursive: true, preserveTimestamps: true })
      fs.rmSync(path.join(copy, "deep"), { recursive: true })
      fs.symlinkSync(path.join(tree, "deep"), path.join(copy, "deep"))
      const { report, workspace } = yield* seeded({ seedPath: copy })
      assert.notInclude(names(workspace), ".git")
      assert.match(report.skipped[0]!.reason, /does not point back; git status/)
    }))

  it.live("a repository with SHA-256 names shows the same state", () =>
    Effect.gen(function*() {
      const tree = path.join(yield* temporaryDirectory, "tree")
      fs.mkdirSync(tree)
      userGit(tree, "init", "-q", "--object-format=sha256")
      write(tree, files)
      commit(tree, "first")
      write(tree, { "file.txt": "changed\n", "new": "n\n" })
      const { workspace } = yield* seeded({ seedPath: tree })
      assert.strictEqual(status(workspace), status(tree))
      userGit(workspace, "fsck", "--strict")
    }))
})
