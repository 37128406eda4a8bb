import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as fs from "node:fs"
import * as path from "node:path"
import { temporaryDirectory } from "../disk/temporary-directory.ts"
import { commit, repository, seeded, userGit, write } from "./support.ts"

/** A repository with a file that the first commit alone has, and directories of which a sparse checkout has one. */
const origin = (folder: string) => {
  const tree = repository(folder, "origin")
  userGit(tree, "config", "uploadpack.allowFilter", "true")
  write(tree, { "old": "old\n", "top": "top\n", "in/deep/file": "1\n", "out/file": "out\n", "out/deep/file": "x\n" })
  commit(tree, "first")
  write(tree, { "in/deep/file": "2\n", "other/file": "o\n" })
  fs.rmSync(path.join(tree, "old"))
  commit(tree, "second")
  return tree
}

interface Clone {
  readonly options: ReadonlyArray<string>
  /** Arguments of `git sparse-checkout set`. */
  readonly sparse?: ReadonlyArray<string>
  /** Whether the guest's history has every object of its commits. */
  readonly isWhole: boolean
  /** Commits that `--git full` gives. */
  readonly commits: number
}

const clones: Readonly<Record<string, Clone>> = {
  "shallow": { options: ["--depth=1"], isWhole: true, commits: 1 },
  "blobless": { options: ["--filter=blob:none"], isWhole: false, commits: 2 },
  "treeless": { options: ["--filter=tree:0"], isWhole: false, commits: 2 },
  "sparse in cone mode": { options: [], sparse: ["--cone", "in"], isWhole: true, commits: 2 },
  "sparse without cone mode": {
    options: [],
    sparse: ["--no-cone", "/top", "/in/", "!/in/none"],
    isWhole: true,
    commits: 2
  },
  "sparse with a sparse index": { options: [], sparse: ["--cone", "--sparse-index", "in"], isWhole: true, commits: 2 },
  "blobless and sparse": { options: ["--filter=blob:none"], sparse: ["--cone", "in"], isWhole: false, commits: 2 },
  "treeless and sparse": { options: ["--filter=tree:0"], sparse: ["--cone", "in"], isWhole: false, commits: 2 },
  "borrowing": { options: ["--reference", "origin"], isWhole: true, commits: 2 }
}

const cloned = (folder: string, { options, sparse }: Clone) => {
  const tree = path.join(folder, "clone")
  const here = options.map((option) => option === "origin" ? path.join(folder, "origin") : option)
  const url = `file://${origin(folder)}`
  userGit(folder, "clone", "-q", ...here, ...(sparse === undefined ? [] : ["--no-checkout"]), url, tree)
  if (sparse !== undefined) {
    userGit(tree, "sparse-checkout", "set", ...sparse)
    userGit(tree, "checkout", "-q", "main")
  }
  return tree
}

/** What the seed of a clone must be in a guest, which has no way to the origin. */
const works = (tree: string, git: "shallow" | "full", { commits, isWhole, sparse }: Clone) =>
  Effect.gen(function*() {
    const { report, workspace } = yield* seeded({ seedPath: tree, git })
    assert.deepStrictEqual(report.skipped, [])
    assert.strictEqual(report.git?.mode, git)
    assert.lengthOf(userGit(workspace, "log", "--format=%H").trim().split("\n"), git === "full" ? commits : 1)
    assert.strictEqual(userGit(workspace, "status", "--porcelain"), "")
    if (sparse !== undefined) {
      assert.isFalse(fs.existsSync(path.join(workspace, "out")))
      assert.strictEqual(userGit(workspace, "sparse-checkout", "list"), userGit(tree, "sparse-checkout", "list"))
    }
    write(workspace, { "in/deep/file": "3\n", "in/new": "n\n" })
    assert.strictEqual(userGit(workspace, "diff", "--numstat"), "1\t1\tin/deep/file\n")
    assert.strictEqual(userGit(workspace, "show", "HEAD:in/deep/file"), "2\n")
    userGit(workspace, "add", "-A")
    userGit(workspace, "commit", "-q", "-m", "third")
    assert.include(userGit(workspace, "format-patch", "--stdout", "HEAD~1"), "+3")
    const changed = userGit(workspace, "diff-tree", "-r", "--name-only", "--no-commit-id", "HEAD")
    assert.strictEqual(changed, "in/deep/file\nin/new\n")
    if (isWhole) userGit(workspace, "fsck", "--strict")
  })

describe("a seed of a clone", { concurrent: true }, () => {
  for (const [kind, clone] of Object.entries(clones)) {
    it.live(`a ${kind} clone is seeded, and git works on its files in the guest`, () =>
      Effect.gen(function*() {
        const folder = yield* temporaryDirectory
        const tree = cloned(folder, clone)
        if (!kind.startsWith("borrowing")) fs.rmSync(path.join(folder, "origin"), { recursive: true })
        yield* works(tree, "shallow", clone)
        yield* works(tree, "full", clone)
      }))
  }

  it.live("a clone whose borrowed objects are gone is refused with a way that works", () =>
    Effect.gen(function*() {
      const folder = yield* temporaryDirectory
      const tree = cloned(folder, clones["borrowing"]!)
      fs.rmSync(path.join(folder, "origin"), { recursive: true })
      assert.include(
        (yield* Effect.flip(seeded({ seedPath: tree }))).message,
        "Take the files without a history: git: \"none\""
      )
      const { report, workspace } = yield* seeded({ seedPath: tree, git: "none" })
      assert.deepStrictEqual([report.skipped, fs.readFileSync(path.join(workspace, "top"), "utf8")], [[], "top\n"])
    }))
})
