import { Effect, type Scope } from "effect"
import * as path from "node:path"
import type { HostToolMissing, SeedRejected } from "../../../contract/errors/errors.ts"
import { GIT_SUBMODULE } from "../../../contract/text/git-mode.ts"
import { pathText } from "../../../contract/text/path-text.ts"
import { printable } from "../../../contract/text/printable.ts"
import { exists, makeUniqueFolder } from "../../../system/files/entries.ts"
import { attempt, type FileFailed } from "../../../system/files/failure.ts"
import { realDirectory } from "../../../system/files/host-path.ts"
import { nowMs } from "../../../system/waits/time.ts"
import { git, type GitRoom } from "../git/confined-git.ts"
import { filteredFiles, leaveAlone } from "../git/filters.ts"
import { type GitPlan, planGit } from "../git/git-directory.ts"
import { repositoryNotes } from "../git/git-places.ts"
import { type Head, locateAt } from "../git/repository.ts"
import { submodulesAt } from "../git/safe-config.ts"
import { makeScratch, type Scratch, type Source } from "../git/scratch.ts"
import type { GitFailed } from "../model/git-failed.ts"
import { beneath, filesBeneath, hasFile, joinBytes } from "../model/host-files.ts"
import { type OuterRules, readOuterRules } from "../model/outer-rules.ts"
import { pinDirectory } from "../model/pinned.ts"
import type { BuildDirectory, GitMode } from "../model/source.ts"
import { isIgnored, type Listed, listIgnored, listLeft, listTree } from "./listing.ts"

export interface Skipped {
  readonly path: string
  readonly reason: string
}

/** A `.git` to make, and its place. */
export interface PlannedGit {
  readonly at: string
  readonly scratch: Scratch
  readonly plan: GitPlan
}

/** Files of a directory to seed. */
interface Collection {
  readonly paths: Array<Buffer>
  readonly gits: Array<PlannedGit>
  readonly skipped: Array<Skipped>
  /** Patterns of requested ignored files without a match. */
  readonly unmatched: Set<string>
  /** Files that git filters, in repositories with a new `.git`. */
  readonly filtered: Array<{ readonly filter: string; readonly paths: ReadonlyArray<string> }>
  /** Ignored files and directories that are left out. A directory counts as one. */
  left: ReadonlyArray<string>
  /** Why a part of the user's git configuration does not count. */
  notes: ReadonlyArray<string>
  /** Rules of git that no collected file has. */
  rules?: OuterRules | undefined
}

type CollectFailed = GitFailed | FileFailed | HostToolMissing | SeedRejected

export interface CollectOptions extends BuildDirectory {
  readonly history: GitMode
  readonly includeIgnored: ReadonlyArray<string>
}

/** Maximum repositories in a tree with a new `.git`: `MOST_GRAFTS` of native/seed/main.c. */
const mostGits = 256

const mostDepth = 32

/**
 * Collects the files of a work tree, or of a directory in it: tracked files, untracked files that are not ignored, and requested
 * ignored files. In an ignored directory, all files count as requested. Submodules and other repositories within it are collected
 * in the same way. Of a repository that is not followed, the ignore rules of the tree count.
 */
export const collectTree = (
  source: Source,
  directory: string,
  options: CollectOptions
): Effect.Effect<{ readonly collection: Collection; readonly head: Head | undefined }, CollectFailed, Scope.Scope> =>
  Effect.gen(function*() {
    const unmatched = new Set(options.includeIgnored)
    const collection: Collection = { paths: [], gits: [], skipped: [], unmatched, filtered: [], left: [], notes: [] }
    const place = { directory, prefix: Buffer.alloc(0), depth: 0 }
    const head = yield* collect(source, place, options, collection)
    for (const pattern of unmatched) {
      collection.skipped.push({ path: pathText(Buffer.from(pattern)), reason: "no ignored file is called so" })
    }
    return { collection, head }
  })

/** A directory to collect. */
interface Place {
  readonly directory: string
  /** Path of the directory in the whole tree. */
  readonly prefix: Buffer
  /** Number of repositories around it. */
  readonly depth: number
}

const collect = (
  source: Source,
  { depth, directory, prefix }: Place,
  options: CollectOptions,
  into: Collection
): Effect.Effect<Head | undefined, CollectFailed, Scope.Scope> =>
  Effect.gen(function*() {
    const folder = yield* makeUniqueFolder(path.join(options.folder, "look-"))
    const scratch = yield* makeScratch(source, folder, options.namespaces)
    const room = { ...scratch.room, cwd: yield* pinDirectory(directory) }
    const isTop = directory === topOf(source)
    const history = isTop && scratch.unfollowed === undefined ? options.history : "none"
    if (depth === 0) {
      const places = source._tag === "refused" ? { workTree: source.workTree } : source.repository
      const notes = [
        ...yield* repositoryNotes(directory, places),
        ...scratch.host.notes,
        ...(isTop ? [] : noteOfPart(source, directory, options))
      ]
      const { attributes, exclude, host: { attributes: userAttributes }, repository: { workTree } } = scratch
      const outside = { attributes, exclude, userAttributes }
      into.rules = yield* readOuterRules({ ...outside, directory, top: topOf(source), workTree }, notes)
      into.notes = notes
    }
    if (isTop && scratch.unfollowed !== undefined) {
      into.skipped.push({ path: pathText(joinBytes(prefix, Buffer.from(".git"))), reason: scratch.unfollowed })
    }
    if (history !== "none" && exists(path.join(folder, "index"))) yield* refreshIndex(room, scratch)
    const [listed, left] = yield* Effect.all([listTree(room), depth === 0 ? listLeft(room) : Effect.succeed([])], {
      concurrency: 2
    })
    const whole = depth === 0 && listed.length === 0 && (yield* isIgnored(room))
    if (whole) into.unmatched.clear()
    const ignored = yield* listIgnored(room, whole ? ["**"] : options.includeIgnored)
    if (depth === 0 && !whole) into.left = omitted(left, ignored.found)
    const { nested, paths } = split(
      [...listed, ...ignored.found].filter(({ path, state }) => state !== "sparse" || hasFile(directory, path))
    )
    for (const found of paths) into.paths.push(joinBytes(prefix, found))
    for (const pattern of ignored.matched) into.unmatched.delete(pattern)
    if (history !== "none") yield* collectHistory({ history, listed, room, scratch }, { directory, prefix }, into)
    for (const found of nested) yield* collectNested(found, { directory, prefix, depth }, options, into)
    return scratch.unfollowed === undefined ? scratch.head : undefined
  })

/** Brings the index up to date before it leaves this host. A sparse index has entries for directories, the written one has an entry for each file. */
const refreshIndex = (room: GitRoom, { sparse }: Scratch) => {
  const force = sparse === undefined ? [] : ["--force-write-index"]
  const command = ["update-index", "-q", "--no-split-index", "--index-version", "2", "--refresh", ...force] as const
  return git(room, command, { okCodes: [0, 1], isLong: true })
}

/** A repository whose history goes along. */
interface Repository {
  readonly history: Exclude<CollectOptions["history"], "none">
  readonly listed: ReadonlyArray<Listed>
  readonly room: GitRoom
  readonly scratch: Scratch
}

/** Plans the copy of a repository's history, and leaves files alone whose content a filter of git makes. */
const collectHistory = (
  { history, listed, room, scratch }: Repository,
  { directory, prefix }: Pick<Place, "directory" | "prefix">,
  into: Collection
) =>
  Effect.gen(function*() {
    const at = joinBytes(prefix, Buffer.from(".git"))
    const withFiles = listed.flatMap(({ mode, path }) =>
      mode === GIT_SUBMODULE && repositoryAt(directory, path) !== undefined ? [path.toString()] : []
    )
    const submodules = yield* submodulesAt(scratch, scratch.repository.workTree, withFiles)
    if (into.gits.length >= mostGits || !isText(at)) {
      into.skipped.push({ path: pathText(at), reason: "there are too many repositories in the tree" })
      return
    }
    const filtered = yield* filteredFiles(room, directory, listed, [scratch.attributes, scratch.host.attributes])
    if (filtered.length > 0) yield* leaveAlone(room, filtered)
    for (const { filter, paths } of filtered) {
      into.filtered.push({ filter: printable(filter), paths: paths.map((one) => pathText(joinBytes(prefix, one))) })
    }
    const planOptions = {
      at: at.toString(),
      identity: scratch.host.identity,
      nowMs: yield* nowMs,
      submodules,
      filters: filtered.map(({ filter }) => filter)
    }
    const plan = yield* attempt("read", scratch.room.gitDir, () => planGit(scratch, history, listed, planOptions))
    into.gits.push({ at: at.toString(), scratch, plan })
  })

const topOf = (source: Source) => source._tag === "refused" ? source.workTree : source.repository.workTree

/** Says that a directory of a repository has no git in the workspace. */
const noteOfPart = (source: Source, directory: string, { history }: CollectOptions) => {
  const top = topOf(source)
  return history === "none" ? [] : [
    `${printable(directory)} is a directory of the git repository ${
      printable(top)
    }: the workspace has its files without git; ` +
    "for git, seed the repository"
  ]
}

/** The ignored files that are left out. A directory with a requested file counts as included. */
const omitted = (left: ReadonlyArray<Buffer>, found: ReadonlyArray<Listed>) => {
  const included = new Set<string>()
  for (const { path } of found) {
    const name = path.toString("latin1")
    included.add(name)
    for (let at = name.indexOf("/"); at >= 0; at = name.indexOf("/", at + 1)) included.add(name.slice(0, at + 1))
  }
  return left.filter((path) => !included.has(path.toString("latin1"))).map((path) => pathText(path))
}

/** Splits paths into files and nested repositories. */
const split = (listed: ReadonlyArray<Listed>) => {
  const removed = new Set(listed.flatMap((one) => one.state === "removed" ? [one.path.toString("latin1")] : []))
  const nested: Array<Buffer> = []
  const paths: Array<Buffer> = []
  for (const { mode, path, state } of listed) {
    if (state === "removed" || state === "changed" || removed.has(path.toString("latin1"))) continue
    if (mode === GIT_SUBMODULE) nested.push(path)
    else if (path.at(-1) === 0x2f) nested.push(path.subarray(0, -1))
    else paths.push(path)
  }
  return { nested, paths }
}

const isText = (bytes: Buffer) => Buffer.from(bytes.toString()).equals(bytes)

const collectNested = (
  found: Buffer,
  { depth, directory, prefix }: Place,
  options: CollectOptions,
  into: Collection
): Effect.Effect<void, CollectFailed, Scope.Scope> =>
  Effect.gen(function*() {
    const at = joinBytes(prefix, found)
    into.paths.push(at)
    const plain = (reason: string) => {
      into.skipped.push({ path: pathText(joinBytes(at, Buffer.from(".git"))), reason })
      const folder = beneath(directory, found)
      return Effect.map(filesBeneath(folder, pathText(folder)), (files) => {
        for (const file of files) into.paths.push(joinBytes(at, file))
      })
    }
    if (!isText(found) || depth >= mostDepth) {
      return yield* plain("its repository lies too deep, or its name is not UTF-8")
    }
    const root = path.join(directory, found.toString())
    // A symlink is copied as a symlink: git follows none to a repository.
    if (realDirectory(root) !== root) return
    const located = locateAt(root)
    // A submodule that was never fetched is an empty directory, on the host and in the guest.
    if (located._tag === "none") return
    yield* collect(located, { directory: root, prefix: at, depth: depth + 1 }, options, into)
  })

/** The repository whose work tree begins at a path of a directory. */
const repositoryAt = (directory: string, found: Buffer) => {
  const root = path.join(directory, found.toString())
  // No symlink on the path may lead elsewhere.
  const located = isText(found) && realDirectory(root) === root ? locateAt(root) : undefined
  return located?._tag === "repository" ? located.repository : undefined
}
