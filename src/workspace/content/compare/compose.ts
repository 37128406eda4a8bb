import type { ComparedSide } from "../../../guest-channel/files.ts"
import type { Candidate } from "../diff/candidates.ts"

/** A path at which two trees may differ, with each tree's file. */
export interface Composed {
  readonly candidate: Candidate
  /** Both trees have a file of this size at the path, not compared yet. */
  readonly mayBeSame: boolean
}

const isExecutable = ({ mode }: ComparedSide) => (mode & 0o100) !== 0

/** Whether only the contents can tell the two files apart. */
export const mayHaveSameContent = (old: ComparedSide | undefined, after: ComparedSide | undefined) =>
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
