import { createHash } from "node:crypto"
import { GIT_LINK } from "../../../contract/text/git-mode.ts"
import type { Change } from "../../../lib/patch/model/patch.ts"

/** Key that both files of a rename share. `undefined` for a file that cannot be renamed. */
const keyOf = (side: Change["before"]) =>
  side === undefined || side.mode === GIT_LINK || side.content.length === 0
    ? undefined
    : createHash("sha1").update(side.content).digest("base64")

const nameOf = (path: Uint8Array) => Buffer.from(path).toString("latin1").replace(/^.*\//s, "")

/**
 * Joins a deletion and an addition of the same content into one rename. Of several candidates, the one with the same name wins.
 * Changes keep their order, with a rename at the place of the addition.
 */
export const withRenames = (changes: ReadonlyArray<Change>): ReadonlyArray<Change> => {
  const deleted = new Map<string, Array<Change>>()
  for (const change of changes) {
    const key = change.after === undefined ? keyOf(change.before) : undefined
    if (key !== undefined) deleted.set(key, [...deleted.get(key) ?? [], change])
  }
  if (deleted.size === 0) return changes
  const renamed = new Map<Change, Change>()
  const gone = new Set<Change>()
  for (const keepsName of [true, false]) {
    for (const change of changes) {
      if (change.before !== undefined || renamed.has(change)) continue
      const candidates = deleted.get(keyOf(change.after) ?? "") ?? []
      const name = nameOf(change.path)
      const from = candidates.find((one) => !gone.has(one) && (!keepsName || nameOf(one.path) === name))
      if (from === undefined) continue
      gone.add(from)
      renamed.set(change, { ...change, from: from.path, before: from.before })
    }
  }
  return changes.filter((change) => !gone.has(change)).map((change) => renamed.get(change) ?? change)
}
