import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as fs from "node:fs"
import * as path from "node:path"
import { lapse } from "../../../support/until.ts"
import { temporaryDirectory } from "../disk/temporary-directory.ts"
import { commit, names, repository, seeded, seedWith, status, userGit, write } from "./support.ts"

/** A tree in which everything that git tells apart is there. */
const busyTree = (folder: string) => {
  const tree = repository(folder)
  write(tree, {
    ".gitignore": "*.o\nbuild/\n",
    "same": "same\n",
    "edited": "one\n",
    "staged": "one\n",
    "both": "one\n",
    "deleted": "one\n",
    "dropped": "one\n",
    "tool": "#!/bin/sh\n",
    "dir/a b\"c\n": "odd\n"
  })
  commit(tree, "first")
  write(tree, { "later": "x\n" })
  commit(tree, "second")
  write(tree, { "edited": "two\n", "staged": "two\n", "both": "two\n", "new": "n\n", "x.o": "o\n", "build/out": "o\n" })
  write(tree, { "added": "a\n", "dir/untracked": "u\n" })
  userGit(tree, "add", "staged", "both", "added")
  write(tree, { "both": "three\n" })
  fs.rmSync(path.join(tree, "deleted"))
  userGit(tree, "rm", "-q", "dropped")
  fs.chmodSync(path.join(tree, "tool"), 0o755)
  fs.symlinkSync("same", path.join(tree, "link"))
  return tree
}

describe("a seed from a git work tree", { concurrent: true }, () => {
  it.live("a git seed has tracked and unignored files and shows the same state", () =>
    Effect.gen(function*() {
      const tree = busyTree(yield* temporaryDirectory)
      const { report, workspace } = yield* seeded({ seedPath: tree })
      assert.deepStrictEqual(
        names(workspace),
        names(tree).filter((name) => !["x.o", "build"].includes(name))
      )
      assert.strictEqual(status(workspace), status(tree))
      assert.strictEqual(userGit(workspace, "diff"), userGit(tree, "diff"))
      assert.strictEqual(userGit(workspace, "diff", "--cached"), userGit(tree, "diff", "--cached"))
      assert.strictEqual(userGit(workspace, "log", "--format=%H %s"), userGit(tree, "log", "-1", "--format=%H %s"))
      assert.deepStrictEqual(report.git, {
        head: userGit(tree, "rev-parse", "HEAD").trim(),
        ref: "refs/heads/main",
        mode: "shallow"
      })
      assert.deepStrictEqual(report.skipped, [])
      userGit(workspace, "fsck", "--strict")
    }))

  it.live("--git full copies the whole history, and --git none copies no .git", () =>
    Effect.gen(function*() {
      const tree = busyTree(yield* temporaryDirectory)
      userGit(tree, "tag", "v1", "HEAD~1")
      userGit(tree, "branch", "other", "HEAD~1")
      userGit(tree, "stash", "push", "-q", "both")
      const full = yield* seeded({ seedPath: tree, git: "full" })
      assert.strictEqual(status(full.workspace), status(tree))
      assert.strictEqual(userGit(full.workspace, "log", "--format=%H"), userGit(tree, "log", "--format=%H"))
      assert.strictEqual(userGit(full.workspace, "rev-parse", "v1", "other"), userGit(tree, "rev-parse", "v1", "other"))
      assert.strictEqual(userGit(full.workspace, "for-each-ref", "refs/stash"), "")
      userGit(full.workspace, "fsck", "--strict")
      const none = yield* seeded({ seedPath: tree, git: "none" })
      assert.notInclude(names(none.workspace), ".git")
      assert.include(names(none.workspace), "new")
      assert.notInclude(names(none.workspace), "x.o")
      assert.strictEqual(none.report.git?.mode, "none")
    }))

  it.live("--include-ignored copies ignored files", () =>
    Effect.gen(function*() {
      const tree = busyTree(yield* temporaryDirectory)
      write(tree, { "dir/y.o": "o", "dir/build/z": "z" })
      const some = yield* seeded({ seedPath: tree, includeIgnored: ["build"] })
      assert.deepStrictEqual(names(path.join(some.workspace, "build")), ["out"])
      assert.deepStrictEqual(names(path.join(some.workspace, "dir/build")), ["z"])
      assert.isFalse(fs.existsSync(path.join(some.workspace, "x.o")))
      const other = yield* seeded({ seedPath: tree, includeIgnored: ["dir/*.o"] })
      assert.isTrue(fs.existsSync(path.join(other.workspace, "dir/y.o")))
      assert.isFalse(fs.existsSync(path.join(other.workspace, "x.o")))
      assert.strictEqual(status(other.workspace), status(tree))
      const none = yield* seeded({ seedPath: tree, includeIgnored: ["build", "nothing", "/dir/build/"] })
      assert.deepStrictEqual(none.report.skipped, [{ path: "nothing", reason: "no ignored file is called so" }])
    }))

  it.live("--include-ignored copies ignored repositories as others", () =>
    Effect.gen(function*() {
      const tree = busyTree(yield* temporaryDirectory)
      write(tree, { "build/other/i": "i", "build/other/.gitignore": "j\n", "build/other/j": "j" })
      const { execFileSync } = yield* Effect.promise(() => import("node:child_process"))
      const other = path.join(tree, "build/other")
      execFileSync("git", ["-C", other, "init", "-q"])
      execFileSync("git", ["-C", other, "add", "."])
      for (const includeIgnored of [["build"], ["build/other/i"]]) {
        const { report, workspace } = yield* seeded({ seedPath: tree, includeIgnored })
        assert.deepStrictEqual(names(path.join(workspace, "build/other")), [".git", ".gitignore", "i"])
        assert.deepStrictEqual(report.skipped, [])
      }
    }))

  it.live("a seed of an ignored directory has all its files", () =>
    Effect.gen(function*() {
      const tree = busyTree(yield* temporaryDirectory)
      write(tree, { "build/deep/z": "z", "build/.env": "e" })
      const { report, workspace } = yield* seeded({ seedPath: path.join(tree, "build"), includeIgnored: ["deep"] })
      assert.deepStrictEqual(names(workspace), [".env", "deep", "out"])
      assert.deepStrictEqual(names(path.join(workspace, "deep")), ["z"])
      assert.deepStrictEqual([report.git?.mode, report.skipped], ["none", []])
    }))

  it.live("a seed of a subdirectory has that directory only", () =>
    Effect.gen(function*() {
      const tree = busyTree(yield* temporaryDirectory)
      write(tree, { "dir/above.o": "ignored by a rule above\n" })
      const { report, workspace } = yield* seeded({ seedPath: path.join(tree, "dir") })
      assert.deepStrictEqual(names(workspace), ["a b\"c\n", "untracked"])
      assert.strictEqual(report.git?.mode, "none")
      assert.match(
        report.notes?.join() ?? "",
        /is a directory of the git repository .*tree: the workspace has its files without git/
      )
      assert.deepStrictEqual((yield* seeded({ seedPath: path.join(tree, "dir"), git: "none" })).report.notes, [])
    }))

  it.live("a seed without commits, with a detached HEAD, or of a linked work tree shows the same state", () =>
    Effect.gen(function*() {
      const folder = yield* temporaryDirectory
      const fresh = repository(folder, "fresh")
      write(fresh, { "a": "a\n", "b": "b\n" })
      userGit(fresh, "add", "a")
      const unborn = yield* seeded({ seedPath: fresh })
      assert.strictEqual(status(unborn.workspace), status(fresh))
      commit(fresh, "one")
      userGit(fresh, "checkout", "-q", "--detach")
      const detached = yield* seeded({ seedPath: fresh })
      assert.strictEqual(status(detached.workspace), status(fresh))
      assert.isUndefined(detached.report.git?.ref)
      const linked = path.join(folder, "linked")
      userGit(fresh, "worktree", "add", "-q", "-b", "side", linked)
      write(linked, { "a": "changed\n", "c": "c\n" })
      const worktree = yield* seeded({ seedPath: linked })
      assert.strictEqual(status(worktree.workspace), status(linked))
      assert.strictEqual(worktree.report.git?.ref, "refs/heads/side")
      assert.deepStrictEqual(worktree.report.skipped, [])
    }))

  it.live("a seed has its submodules' files and state, and untracked repositories", () =>
    Effect.gen(function*() {
      const folder = yield* temporaryDirectory
      const library = repository(folder, "library")
      write(library, { "lib.c": "int x;\n", ".gitignore": "*.o\n" })
      commit(library, "lib")
      const tree = repository(folder)
      write(tree, { "main.c": "int y;\n" })
      userGit(tree, "submodule", "--quiet", "add", library, "deps/library")
      commit(tree, "super")
      write(tree, { "deps/library/lib.c": "int z;\n", "deps/library/x.o": "o", "deps/library/new.c": "n\n" })
      repository(tree, "inner")
      write(tree, { "inner/file": "f\n" })
      const { workspace } = yield* seeded({ seedPath: tree })
      assert.deepStrictEqual(names(path.join(workspace, "deps/library")), [".git", ".gitignore", "lib.c", "new.c"])
      assert.strictEqual(status(workspace), status(tree))
      assert.strictEqual(status(path.join(workspace, "deps/library")), status(path.join(tree, "deps/library")))
      assert.deepStrictEqual(names(path.join(workspace, "inner")), [".git", "file"])
      assert.strictEqual(userGit(workspace, "submodule", "status"), userGit(tree, "submodule", "status"))
      assert.include(userGit(path.join(workspace, "deps/library"), "diff"), "+int z;")
      // On its own, a submodule's directory is a repository like any other.
      const alone = yield* seeded({ seedPath: path.join(tree, "deps/library") })
      assert.strictEqual(status(alone.workspace), status(path.join(tree, "deps/library")))
    }))

  it.live("a seed has no credentials of submodules, and no submodules without files", () =>
    Effect.gen(function*() {
      const folder = yield* temporaryDirectory
      const library = repository(folder, "library")
      write(library, { "lib.c": "int x;\n" })
      commit(library, "lib")
      const tree = repository(folder)
      for (const name of ["here", "bare place"]) userGit(tree, "submodule", "--quiet", "add", library, name)
      const url = "https://ada:s3cret@example.org/lib.git?token=s3cret"
      userGit(tree, "config", "-f", ".gitmodules", "submodule.here.url", url)
      userGit(tree, "config", "submodule.here.url", url)
      userGit(tree, "config", "submodule.here.update", "!s3cret")
      commit(tree, "super")
      userGit(tree, "submodule", "--quiet", "deinit", "-f", "bare place")
      const { workspace } = yield* seeded({ seedPath: tree })
      const config = fs.readFileSync(path.join(workspace, ".git/config"), "utf8")
      assert.notInclude(config, "s3cret")
      assert.strictEqual(userGit(workspace, "config", "submodule.here.url").trim(), "https://example.org/lib.git")
      assert.strictEqual(userGit(workspace, "submodule", "status"), userGit(tree, "submodule", "status"))
    }))

  it.live("a seed image is made once per state of the tree", () =>
    Effect.gen(function*() {
      const folder = yield* temporaryDirectory
      const tree = busyTree(folder)
      const cache = path.join(folder, "cache")
      fs.mkdirSync(cache)
      yield* lapse(1_100) // change times cannot be set back, and younger ones are not trusted
      const first = yield* seedWith(cache, { seedPath: tree })
      const again = yield* seedWith(cache, { seedPath: tree })
      assert.deepStrictEqual(again, first)
      // Nothing in the tree changes by it, only what git says.
      userGit(tree, "commit", "-q", "-m", "third")
      const third = yield* seedWith(cache, { seedPath: tree })
      assert.notStrictEqual(third.image.digest, first.image.digest)
      assert.deepStrictEqual(fs.readdirSync(path.join(cache, "seeds", "temporary")), [".lock"])
    }))

  it.live("a seed does not read files that the host's index knows", () =>
    Effect.gen(function*() {
      const tree = busyTree(yield* temporaryDirectory)
      for (const name of ["same", "later"]) fs.utimesSync(path.join(tree, name), 1_500_000_000, 1_500_000_000)
      const { workspace } = yield* seeded({ seedPath: tree })
      // Proof: what git believes unread is not what is there.
      fs.writeFileSync(path.join(workspace, "same"), "SAME\n")
      fs.utimesSync(path.join(workspace, "same"), 1_500_000_000, 1_500_000_000)
      assert.strictEqual(status(workspace), status(tree))
    }))

  it.live("a seed reports files that it leaves out", () =>
    Effect.gen(function*() {
      const tree = repository(yield* temporaryDirectory)
      write(tree, { "a": "a\n", "d/b": "b\n" })
      commit(tree, "one")
      fs.rmSync(path.join(tree, "d"), { recursive: true })
      fs.symlinkSync("/etc", path.join(tree, "d"))
      const { report, workspace } = yield* seeded({ seedPath: tree })
      assert.strictEqual(fs.readlinkSync(path.join(workspace, "d")), "/etc")
      assert.deepStrictEqual(report.skipped, [])
      assert.strictEqual(status(workspace), status(tree))
    }))
})
