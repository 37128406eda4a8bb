import type { ComparedSide } from "../../guest-channel/difference.ts"
import type { Candidate } from "../diff/candidates.ts"

/** A path at which two trees may differ, with what each has there. */
export interface Composed {
  readonly candidate: Candidate
  /** Both have a file of this size there, and nobody has compared the two yet. */
  readonly mayBeSame: boolean
}

const isExecutable = ({ mode }: ComparedSide) => (mode & 0o100) !== 0

/** Whether one cannot be told from the other without reading contents. */
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
 * What may differ between two trees, each known by what differs between it and its own beginning. `beginnings` is what differs between
 * those: none where both began from the same. A path that is in none of the three is the same in both trees.
 */
export const compose = (
  from: ReadonlyArray<Candidate>,
  to: ReadonlyArray<Candidate>,
  beginnings: ReadonlyArray<Candidate>
): ReadonlyArray<Composed> => {
  const [fromBy, toBy, beginningsBy] = [byPath(from), byPath(to), byPath(beginnings)]
  return [...new Set([...fromBy.keys(), ...toBy.keys(), ...beginningsBy.keys()])].flatMap((path) => {
    const [one, other, beginning] = [fromBy.get(path), toBy.get(path), beginningsBy.get(path)]
    // What a tree has where it is as it began.
    const oldBeginning = beginning === undefined ? (one ?? other)!.old : beginning.old
    const newBeginning = beginning === undefined ? (one ?? other)!.old : beginning.new
    const old = one === undefined ? oldBeginning : one.new
    const after = other === undefined ? newBeginning : other.new
    if (isSameEntry(old, after)) return []
    const compared = [one, other, beginning].filter((known) => known !== undefined).length === 1
    return [{ candidate: { path, old, new: after }, mayBeSame: !compared && mayHaveSameContent(old, after) }]
  })
}
