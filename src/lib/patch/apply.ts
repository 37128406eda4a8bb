import { Effect } from "effect"
import { PatchRejected } from "../../contract/errors/errors.ts"
import { firstOf } from "../../contract/text/first-of.ts"
import { GIT_FILE, GIT_LINK } from "../../contract/text/git-mode.ts"
import { pathText } from "../../contract/text/path-text.ts"
import { type HunkNote, patchedContent, type Reject } from "./apply/content.ts"
import type { LineEnd } from "./apply/line-ends.ts"
import { Overlay } from "./apply/overlay.ts"
import { searchBudget } from "./apply/place-hunk.ts"
import { bytesOf, type Change, type FilePatch, type Patch, type PatchTree, type Side } from "./model/patch.ts"

interface PatchNote extends HunkNote {
  readonly path: Uint8Array
}

export interface PatchPlan {
  /** Changes to the tree, without files that end as they were. */
  readonly changes: ReadonlyArray<Change>
  readonly notes: ReadonlyArray<PatchNote>
  /** By the path after: end of all lines of a file, if those of the patch end otherwise. */
  readonly lineEnds: ReadonlyMap<string, LineEnd>
}

/** Maximum number of rejects in an error. A path may have 4 KiB, and some bytes of a path take four characters. */
const MAX_REJECTS = 1_000
const MAX_REJECT_BYTES = 4 * 1024 * 1024

/** Computes how a patch changes a tree. Changes nothing. Fails with `PatchRejected`, which names every hunk that does not fit. */
export const applyPatch = <E>(tree: PatchTree<E>, patch: Patch): Effect.Effect<PatchPlan, E | PatchRejected> =>
  Effect.gen(function*() {
    const overlay = new Overlay(tree, patch)
    const budget = searchBudget()
    const notes: Array<PatchNote> = []
    const lineEnds = new Map<string, LineEnd>()
    const rejects: Array<PatchRejected["rejects"][number]> = []
    let rejected = 0
    const reject = (path: string, all: ReadonlyArray<Reject>) => {
      rejected += all.length
      for (const { hunk, reason } of all.slice(0, MAX_REJECTS - rejects.length)) {
        rejects.push({ path: pathText(bytesOf(path)), hunk, reason })
      }
    }
    for (const file of patch.files) {
      const path = (file.from ?? file.to)!
      const giveUp = (all: ReadonlyArray<Reject>) => {
        reject(path, all)
        overlay.giveUp(file)
      }
      const before = yield* sideBefore(overlay, file)
      if (typeof before === "string") {
        giveUp([{ hunk: 0, reason: before }])
        continue
      }
      const patched = patchedContent(file, before?.content ?? new Uint8Array(0), budget)
      if (patched._tag === "rejected") {
        giveUp(patched.rejects)
        continue
      }
      for (const note of patched.notes) notes.push({ path: bytesOf(file.to ?? path), ...note })
      if (patched.lineEnd !== undefined) lineEnds.set(file.to ?? path, patched.lineEnd)
      const mode = file.newMode ?? before?.mode ?? GIT_FILE
      const problem = yield* overlay.put(file, { mode, content: patched.content })
      if (problem !== undefined) reject(problem.path, [{ hunk: 0, reason: problem.reason }])
    }
    for (const { path, reason } of yield* overlay.conflicts()) reject(path, [{ hunk: 0, reason }])
    if (rejected > 0) {
      const detail = `${rejected} of its parts ${rejected === 1 ? "does" : "do"} not fit`
      const first = firstOf(rejects, { most: MAX_REJECTS, maxBytes: MAX_REJECT_BYTES })
      return yield* new PatchRejected({ detail, rejects: first })
    }
    return { changes: yield* overlay.changes(), notes, lineEnds }
  })

/** The file that a part of the patch changes, or the reason why the part does not fit it. Undefined for a new file. */
const sideBefore = <E>(overlay: Overlay<E>, file: FilePatch): Effect.Effect<Side | string | undefined, E> =>
  Effect.gen(function*() {
    if (file.from === undefined) return undefined
    const found = yield* overlay.at(file.from)
    switch (found._tag) {
      case "absent":
        return "there is no such file"
      case "directory":
        return "it is a directory"
      case "other":
        return `it is ${found.what}`
      case "unfit":
        return found.reason
      case "file": {
        const { side } = found
        const isLink = side.mode === GIT_LINK
        const said = file.oldMode ?? file.newMode
        if (said !== undefined && isLink !== (said === GIT_LINK)) {
          return isLink ? "it is a symbolic link, not a file" : "it is a file, not a symbolic link"
        }
        // A patch without a mode is for a file: git's own patches name the mode whenever the content changes.
        if (isLink && said === undefined && file.content._tag !== "none") return "it is a symbolic link"
        if (file.newMode !== undefined && isLink !== (file.newMode === GIT_LINK)) {
          const kinds = isLink ? ["symbolic link", "file"] : ["file", "symbolic link"]
          return `the patch changes the mode of a ${kinds[0]} to that of a ${
            kinds[1]
          }; such a patch has to delete and create it`
        }
        return side
      }
    }
  })
