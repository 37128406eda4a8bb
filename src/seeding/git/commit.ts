import { Effect } from "effect"
import * as path from "node:path"
import { readFile, writeFile } from "../../system/files/content.ts"
import { removeFile } from "../../system/files/entries.ts"
import { attempt } from "../../system/files/failure.ts"
import { nowMs } from "../../system/waits/time.ts"
import type { History } from "../request.ts"
import { splitNul } from "../tree/listing.ts"
import { git } from "./confined-git.ts"
import { type GitPlan, planGit } from "./git-directory.ts"
import type { Identity } from "./identity.ts"
import { believe, indexEntries, sealIndex } from "./index-file.ts"
import type { Scratch } from "./scratch.ts"

/** Files and size of a commit's tree. */
export interface CommitTree {
  /** Of all files. */
  readonly bytes: number
  /** Size of each file, by its path in latin1. */
  readonly sizes: ReadonlyMap<string, number>
  /** Time of the commit, and of the files. */
  readonly seconds: number
}

/** Maximum list of a tree: a tree that contains itself has no end. */
const mostListBytes = 256 * 1024 * 1024

const bare = (scratch: Scratch) => ({ ...scratch.room, workTree: undefined, cwd: undefined })

/** Checks a commit's tree before any file is made. */
export const commitTree = (scratch: Scratch) =>
  Effect.gen(function*() {
    const commit = scratch.head.commit!
    const listed = yield* git(bare(scratch), ["ls-tree", "-r", "-l", "-z", "--full-tree", commit], {
      maxOutputBytes: mostListBytes,
      isLong: true
    })
    const sizes = new Map<string, number>()
    let bytes = 0
    for (const record of splitNul(listed)) {
      const tab = record.indexOf(9)
      const size = Number(record.toString("latin1", 0, tab).split(/ +/)[3])
      if (!Number.isSafeInteger(size)) continue // a submodule's commit has none
      sizes.set(record.toString("latin1", tab + 1), size)
      bytes += size
    }
    const said = yield* git(bare(scratch), ["log", "-1", "--no-show-signature", "--format=%ct", commit])
    return { bytes, sizes, seconds: Number(said.toString().trim()) } satisfies CommitTree
  })

/** Keeps attributes of the tree from changing, omitting or filling in content: these attributes have precedence. */
const plainly = "* -export-ignore -export-subst -text !eol -ident -filter !working-tree-encoding\n"

/** Writes a commit's files as a tar archive, with the repository's content, and gives its path. */
export const writeCommitTar = (scratch: Scratch) =>
  Effect.gen(function*() {
    const file = path.join(scratch.room.gitDir, "tree.tar")
    yield* writeFile(path.join(scratch.room.gitDir, "info/attributes"), plainly)
    yield* git(bare(scratch), ["archive", "--format=tar", `--output=${file}`, scratch.head.commit!], { isLong: true })
    return file
  })

/** Plans the `.git` of a fresh check-out of the commit, with an index that knows the archive's files. */
export const commitPlan = (scratch: Scratch, history: History, tree: CommitTree, identity: Identity) =>
  Effect.gen(function*() {
    const file = path.join(scratch.room.gitDir, "index")
    yield* removeFile(file)
    yield* git(bare(scratch), ["read-tree", "--index-output=" + file, scratch.head.commit!])
    const index = yield* readFile(file)
    for (const entry of indexEntries(index, scratch.idBytes) ?? []) {
      const size = tree.sizes.get(entry.path.toString("latin1"))
      believe(index, entry, size === undefined ? undefined : { mtimeSeconds: tree.seconds, size })
    }
    sealIndex(index, scratch.idBytes)
    yield* writeFile(file, index)
    const now = yield* nowMs
    return yield* attempt("read", file, (): GitPlan => planGit(scratch, history, [], { identity, nowMs: now }))
  })
