import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as fs from "node:fs"
import * as path from "node:path"
import { temporaryDirectory } from "../disk/temporary-directory.ts"
import { commit, repository, seeded, userGit, write } from "./support.ts"

/** A tree whose `big` and `dir/secret` are other contents in its commits, as Git LFS and git-crypt keep them. */
const filteredTree = (folder: string) => {
  const tree = repository(folder)
  for (const filter of ["lfs", "git-crypt"]) {
    userGit(tree, "config", `filter.${filter}.clean`, "tr a-z n-za-m")
    userGit(tree, "config", `filter.${filter}.smudge`, "tr a-z n-za-m")
  }
  write(tree, {
    ".gitattributes": "[attr]large filter=lfs -text\nbig* large\n",
    "dir/.gitattributes": "secret filter=git-crypt\n*.off -filter\n",
    "big": "large\n",
    "big file\n": "large too\n",
    "dir/secret": "key\n",
    "dir/x.off": "plain\n",
    "plain": "plain\n"
  })
  commit(tree, "first")
  return tree
}

const refusedBy = (folder: string, ...args: ReadonlyArray<string>) => {
  try {
    userGit(folder, ...args)
  } catch (error) {
    return (error as { readonly stderr: string }).stderr
  }
  return assert.fail(`git ${args.join(" ")} was not refused`)
}

describe("a seed of a repository with clean and smudge filters", { concurrent: true }, () => {
  it.live("commits in the guest keep filtered files as they are, and git refuses a change of one", () =>
    Effect.gen(function*() {
      const tree = filteredTree(yield* temporaryDirectory)
      const { report, workspace } = yield* seeded({ seedPath: tree })
      assert.deepStrictEqual(report.filtered, [
        { filter: "lfs", paths: ["big", String.raw`"big file\n"`] },
        { filter: "git-crypt", paths: ["dir/secret"] }
      ])
      const read = (file: string) => fs.readFileSync(path.join(workspace, file), "utf8")
      assert.deepStrictEqual([read("big"), read("dir/secret")], ["large\n", "key\n"])
      const committed = () => userGit(workspace, "ls-tree", "-r", "HEAD")
      const before = committed()
      assert.strictEqual(userGit(workspace, "status", "--porcelain"), "")
      write(workspace, { "big": "edited\n", "dir/secret": "edited\n" })
      for (const file of ["big", "big file\n", "dir/secret"]) fs.utimesSync(path.join(workspace, file), 1, 1)
      assert.strictEqual(userGit(workspace, "status", "--porcelain"), "")
      write(workspace, { "plain": "changed\n" })
      userGit(workspace, "commit", "-q", "-a", "-m", "second")
      assert.strictEqual(userGit(workspace, "show", "--format=", "--name-only", "HEAD"), "plain\n")
      userGit(workspace, "add", "-A")
      for (const file of ["big", "dir/secret"]) {
        refusedBy(workspace, "add", file)
        // Also where the person takes the mark away.
        userGit(workspace, "update-index", "--no-skip-worktree", file)
        assert.match(
          refusedBy(workspace, "add", file),
          /pyro: this workspace lacks the filter (lfs|git-crypt), so git takes no change/
        )
      }
      const differing = committed().split("\n").filter((line) => !before.includes(line))
      assert.deepStrictEqual(differing.map((line) => line.split("\t")[1]), ["plain"])
      userGit(workspace, "fsck", "--strict")
    }))

  it.live("a new file with a missing filter is refused", () =>
    Effect.gen(function*() {
      const tree = filteredTree(yield* temporaryDirectory)
      const { workspace } = yield* seeded({ seedPath: tree, git: "full" })
      write(workspace, { "big-new": "n\n" })
      assert.include(refusedBy(workspace, "add", "big-new"), "lacks the filter lfs")
      userGit(workspace, "checkout", "-q", "-b", "other")
      assert.strictEqual(userGit(workspace, "status", "--porcelain"), "?? big-new\n")
    }))

  it.live("a repository without filters has no filter settings", () =>
    Effect.gen(function*() {
      const tree = repository(yield* temporaryDirectory)
      write(tree, { ".gitattributes": "* text=auto\n# filter\n", "a": "a\n" })
      commit(tree, "first")
      const { report, workspace } = yield* seeded({ seedPath: tree })
      assert.deepStrictEqual(report.filtered, [])
      assert.notInclude(fs.readFileSync(path.join(workspace, ".git/config"), "utf8"), "filter")
    }))
})
