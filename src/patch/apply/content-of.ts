import { blobName } from "../../system/files/git-blob.ts"
import { bytesOf, byteString, type FilePatch, limits } from "../patch.ts"
import { applyDelta } from "./delta.ts"
import { applyHunks, type HunkNote } from "./hunks.ts"
import type { SearchBudget } from "./place-hunk.ts"

export interface Reject {
  /** From 1; 0 = the file as a whole. */
  readonly hunk: number
  readonly reason: string
}

export type Patched =
  | { readonly _tag: "is"; readonly content: Uint8Array; readonly notes: ReadonlyArray<HunkNote> }
  | { readonly _tag: "rejected"; readonly rejects: ReadonlyArray<Reject> }

const whole = (reason: string): Patched => ({ _tag: "rejected", rejects: [{ hunk: 0, reason }] })

/** The new content of a file. A patch that creates the file starts from nothing. */
export const patchedContent = (file: FilePatch, before: Uint8Array, budget: SearchBudget): Patched => {
  const made = make(file, before, budget)
  if (made._tag === "is" && made.content.length > limits.file) return whole("it would become too large")
  const empties = file.to === undefined && !(file.content._tag === "none" && file.content.wholly)
  if (made._tag === "is" && empties && made.content.length > 0) {
    return whole("the file holds more than what the patch deletes")
  }
  return made
}

const make = ({ content }: FilePatch, before: Uint8Array, budget: SearchBudget): Patched => {
  switch (content._tag) {
    case "none":
      return { _tag: "is", content: before, notes: [] }
    case "hunks": {
      const applied = applyHunks(byteString(before), content.hunks, budget)
      return applied._tag === "rejected"
        ? applied
        : { _tag: "is", content: bytesOf(applied.text), notes: applied.notes }
    }
    case "binary": {
      if (content.oldName !== undefined && Number.parseInt(content.oldName, 16) !== 0) {
        if (blobName(before) !== content.oldName) return whole("its content is not what the binary patch was made for")
      }
      const { bytes, kind } = content.binary
      const now = kind === "literal" ? bytes : applyDelta(before, bytes, limits.file)
      if (now === undefined) return whole("the binary delta does not fit its content")
      if (content.newName !== undefined && Number.parseInt(content.newName, 16) !== 0) {
        if (blobName(now) !== content.newName) return whole("the binary patch does not make what it says")
      }
      return { _tag: "is", content: now, notes: [] }
    }
  }
}
