import { Effect, Stream } from "effect"
import { FileRefused, type PyroError } from "../../../contract/errors/errors.ts"
import type { ComparedSide, WalkEntry } from "../../../guest-channel/files.ts"
import { refused } from "../../life/baseline.ts"
import { type Candidate, MAX_CANDIDATES, MAX_PATH_BYTES } from "../diff/candidates.ts"
import { type Place, sameContents } from "./same-contents.ts"

/** A path at which two trees may differ, with each tree's file. */
export interface Composed {
  readonly candidate: Candidate
  /** Both trees have a file of this size at the path, not compared yet. */
  readonly mayBeSame: boolean
}

const isExecutable = ({ mode }: ComparedSide) => (mode & 0o100) !== 0

/** Whether only the contents can tell the two files apart. */
const mayHaveSameContent = (old: ComparedSide | undefined, after: ComparedSide | undefined) =>
  old?.type === "file" && after?.type === "file" && old.size === after.size && isExecutable(old) === isExecutable(after)

/** Whether nothing differs for a diff, as far as can be said without reading a file. */
export const isSameEntry = (old: ComparedSide | undefined, after: ComparedSide | undefined) => {
  if (old === undefined || after === undefined) return old === after
  if (old.type !== after.type || old.type === "file") return false
  return old.type !== "symlink" || Buffer.compare(old.linkTarget, after.linkTarget) === 0
}

const byPath = (candidates: ReadonlyArray<Candidate>) => new Map(candidates.map((one) => [one.path, one]))

/**
 * Possible differences of two trees, from each tree's differences from its own beginning. `beginnings` has the differences of the
 * two beginnings: none for one common beginning. A path in none of the three lists is equal in both trees.
 */
export const compose = (
  from: ReadonlyArray<Candidate>,
  to: ReadonlyArray<Candidate>,
  beginnings: ReadonlyArray<Candidate>
): ReadonlyArray<Composed> => {
  const [fromBy, toBy, beginningsBy] = [byPath(from), byPath(to), byPath(beginnings)]
  return [...new Set([...fromBy.keys(), ...toBy.keys(), ...beginningsBy.keys()])].flatMap((path) => {
    const [one, other, beginning] = [fromBy.get(path), toBy.get(path), beginningsBy.get(path)]
    // File of a tree at a path where the tree is unchanged since its beginning.
    const oldBeginning = beginning === undefined ? (one ?? other)!.old : beginning.old
    const newBeginning = beginning === undefined ? (one ?? other)!.old : beginning.new
    const old = one === undefined ? oldBeginning : one.new
    const after = other === undefined ? newBeginning : other.new
    if (isSameEntry(old, after)) return []
    const compared = [one, other, beginning].filter((known) => known !== undefined).length === 1
    return [{ candidate: { path, old, new: after }, mayBeSame: !compared && mayHaveSameContent(old, after) }]
  })
}

/** Repositories' own folders, upper or lower case: the agent skips them in a comparison. */
const isGit = (path: string) => /(^|\/)\.git(\/|$)/i.test(path)

const tooMany = new FileRefused({
  path: "/workspace",
  reason: "too_large",
  detail: `what the two began from has more than ${MAX_CANDIDATES} files, or names longer than ` +
    `${MAX_PATH_BYTES / 1024 / 1024} MiB; compare workspaces of one beginning`
})

/** Everything of a tree that `use` wants something of, by path. */
const walked = <A>(
  { channel, explain, tree }: Place,
  use: (entry: WalkEntry, path: string) => A | undefined
): Effect.Effect<ReadonlyMap<string, A>, PyroError> =>
  Effect.suspend(() => {
    const found = new Map<string, A>()
    let bytes = 0
    const walk = Stream.runForEach(channel.walk(tree), (entry): Effect.Effect<void, FileRefused> => {
      const path = Buffer.from(entry.path).toString("latin1")
      const wanted = isGit(path) ? undefined : use(entry, path)
      if (wanted === undefined) return Effect.void
      bytes += path.length
      if (found.size >= MAX_CANDIDATES || bytes > MAX_PATH_BYTES) return tooMany
      found.set(path, wanted)
      return Effect.void
    })
    return explain(
      Effect.catchTag(walk, "AgentCallFailed", (failure) => Effect.fail(refused("/workspace")(failure)))
    ).pipe(Effect.as(found))
  })

/** Differences of two trees in different guests. Reads the contents of all files that may be equal. */
export const walkedDifferences = (
  from: Place,
  to: Place,
  isWanted: (candidate: Candidate) => boolean
): Effect.Effect<ReadonlyArray<Candidate>, PyroError> =>
  Effect.gen(function*() {
    const sideOf = ({ linkTarget, mode, size, type }: WalkEntry): ComparedSide => ({ type, mode, size, linkTarget })
    const [one, other] = yield* Effect.all([walked(from, sideOf), walked(to, sideOf)], { concurrency: 2 })
    const candidates = [...new Set([...one.keys(), ...other.keys()])]
      .map((path): Candidate => ({ path, old: one.get(path), new: other.get(path) }))
      .filter((candidate) => !isSameEntry(candidate.old, candidate.new) && isWanted(candidate))
    const twins = candidates.flatMap(({ new: after, old, path }) =>
      mayHaveSameContent(old, after) ? [{ path, size: old!.size }] : []
    )
    const same = yield* sameContents(from, to, twins)
    return candidates.filter(({ path }) => !same.has(path))
  })

/** Identity of an unmodified file, which copies of a disk share. */
const stampOf = ({ ctimeNs, ino, mtimeNs, size }: WalkEntry) => `${ino}:${size}:${mtimeNs}:${ctimeNs}`

/** Those of the paths at which both trees have a file of the same inode, size and times, from a copied disk. */
export const sameStamps = (
  from: Place,
  to: Place,
  paths: ReadonlySet<string>
): Effect.Effect<ReadonlySet<string>, PyroError> =>
  Effect.gen(function*() {
    const stamp = (entry: WalkEntry, path: string) => paths.has(path) ? stampOf(entry) : undefined
    const [one, other] = yield* Effect.all([walked(from, stamp), walked(to, stamp)], { concurrency: 2 })
    return new Set([...one].flatMap(([path, known]) => other.get(path) === known ? [path] : []))
  })
