import { Effect, Stream } from "effect"
import { FileRefused } from "../../../contract/errors/errors.ts"
import type { ComparedSide, WalkEntry } from "../../../lib/guest-channel/model/files.ts"
import { refused } from "../../life/guest/baseline.ts"
import { type Candidate, MAX_CANDIDATES, MAX_PATH_BYTES } from "../diff/candidates.ts"
import { type Place, sameContents } from "./same-contents.ts"

/** A path at which two trees may differ, with each tree's file. */
export interface Composed {
  readonly candidate: Candidate
  /** Both trees have a file of the same size, and the contents are not compared yet. */
  readonly mayBeSame: boolean
}

const isExecutable = ({ mode }: ComparedSide) => (mode & 0o100) !== 0

/** Whether only the contents can tell the two files apart. */
const mayHaveSameContent = (old: ComparedSide | undefined, after: ComparedSide | undefined) =>
  old?.type === "file" && after?.type === "file" && old.size === after.size && isExecutable(old) === isExecutable(after)

/** Whether two entries are known to be equal for a diff, without a read of files. */
export const isSameEntry = (old: ComparedSide | undefined, after: ComparedSide | undefined) => {
  if (old === undefined || after === undefined) return old === after
  if (old.type !== after.type || old.type === "file") return false
  return old.type !== "symlink" || Buffer.compare(old.linkTarget, after.linkTarget) === 0
}

const byPath = (candidates: ReadonlyArray<Candidate>) => new Map(candidates.map((one) => [one.path, one]))

/**
 * Possible differences of two trees, from each tree's differences from its own baseline. `baselines` has the differences of the
 * two baselines: none for a common baseline. A path in none of the three lists is equal in both trees.
 */
export const compose = (
  from: ReadonlyArray<Candidate>,
  to: ReadonlyArray<Candidate>,
  baselines: ReadonlyArray<Candidate>
): ReadonlyArray<Composed> => {
  const [fromBy, toBy, baselinesBy] = [byPath(from), byPath(to), byPath(baselines)]
  return [...new Set([...fromBy.keys(), ...toBy.keys(), ...baselinesBy.keys()])].flatMap((path) => {
    const [one, other, baseline] = [fromBy.get(path), toBy.get(path), baselinesBy.get(path)]
    // A tree without a difference has its baseline's file.
    const common = (one ?? other)?.old
    const old = one === undefined ? (baseline === undefined ? common : baseline.old) : one.new
    const after = other === undefined ? (baseline === undefined ? common : baseline.new) : other.new
    if (isSameEntry(old, after)) return []
    const compared = [one, other, baseline].filter((found) => found !== undefined).length === 1
    return [{ candidate: { path, old, new: after }, mayBeSame: !compared && mayHaveSameContent(old, after) }]
  })
}

/** Whether a path is in a git directory, in any case of letters: the agent skips these in a comparison. */
const isGit = (path: string) => /(^|\/)\.git(\/|$)/i.test(path)

const tooMany = new FileRefused({
  path: "/workspace",
  reason: "too_large",
  detail: `what the two began from has more than ${MAX_CANDIDATES} files, or names longer than ` +
    `${MAX_PATH_BYTES / 1024 / 1024} MiB; compare workspaces of one beginning`
})

/** Results of `use` for the entries of a tree, by path. Entries without a result are left out. */
const walked = <A>({ channel, explain, tree }: Place, use: (entry: WalkEntry, path: string) => A | undefined) =>
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
) =>
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

/** The paths at which both trees have a file of the same inode, size and times, as on a copied disk. */
export const sameStamps = (
  from: Place,
  to: Place,
  paths: ReadonlySet<string>
) =>
  Effect.gen(function*() {
    const stamp = (entry: WalkEntry, path: string) => paths.has(path) ? stampOf(entry) : undefined
    const [one, other] = yield* Effect.all([walked(from, stamp), walked(to, stamp)], { concurrency: 2 })
    return new Set([...one].flatMap(([path, known]) => other.get(path) === known ? [path] : []))
  })
