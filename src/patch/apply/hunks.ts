import type { Hunk } from "../patch.ts"
import { linesOf } from "../text/lines.ts"
import { FileLines } from "./find-lines.ts"
import { type Place, placeHunk, type SearchBudget } from "./place-hunk.ts"

export interface HunkReject {
  /** From 1. */
  readonly hunk: number
  readonly reason: string
}

export interface HunkNote {
  readonly hunk: number
  /** Lines between the stated and the found place; negative upwards. */
  readonly offset: number
  /** The hunk fits only without regard to white space or a missing last line feed. */
  readonly isLoose: boolean
}

export type HunksApplied =
  | { readonly _tag: "fits"; readonly text: string; readonly notes: ReadonlyArray<HunkNote> }
  | { readonly _tag: "rejected"; readonly rejects: ReadonlyArray<HunkReject> }

interface Edit {
  readonly hunk: Hunk
  readonly place: Place & { readonly _tag: "at" }
}

/** Applies all hunks to a text (a byte string), or none and says of each that does not fit why. */
export const applyHunks = (text: string, hunks: ReadonlyArray<Hunk>, budget: SearchBudget): HunksApplied => {
  const file = new FileLines(linesOf(text))
  const edits: Array<Edit> = []
  const rejects: Array<HunkReject> = []
  const notes: Array<HunkNote> = []
  let [from, drift] = [0, 0]
  for (const [index, hunk] of hunks.entries()) {
    const place = placeHunk(file, hunk, { from, drift, budget })
    if (place._tag === "nowhere") {
      rejects.push({ hunk: index + 1, reason: place.reason })
      continue
    }
    edits.push({ hunk, place })
    from = place.at + place.oldLines.length
    if (hunk.place._tag === "line") {
      drift = place.at - (place.oldLines.length === 0 ? hunk.place.line : Math.max(hunk.place.line, 1) - 1)
    }
    const isLoose = place.oldLines.length > 0 && place.like !== "exact"
    if (drift !== 0 || isLoose) notes.push({ hunk: index + 1, offset: drift, isLoose })
  }
  return rejects.length > 0 ? { _tag: "rejected", rejects } : { _tag: "fits", text: edited(file, edits), notes }
}

const edited = (file: FileLines, edits: ReadonlyArray<Edit>): string => {
  const lines: Array<string> = []
  let at = 0
  const keepTo = (end: number) => {
    while (at < end) lines.push(file.lines[at++]!)
  }
  for (const { hunk, place } of edits) {
    keepTo(place.at)
    const toFit = hunk.place._tag === "after" && isCrlf(file) ? withCrlf : (line: string) => line
    for (const { sign, text } of hunk.lines) {
      if (sign === "+") lines.push(toFit(text))
      else if (at < place.at + place.oldLines.length) {
        if (sign === " ") lines.push(file.lines[at]!)
        at++
      }
    }
  }
  keepTo(file.count)
  for (let i = 0; i < lines.length - 1; i++) if (!lines[i]!.endsWith("\n")) lines[i] += isCrlf(file) ? "\r\n" : "\n"
  return lines.join("")
}

/** Models write patches with LF for files with any line ends. */
const isCrlf = (file: FileLines) => file.count > 0 && file.lines[0]!.endsWith("\r\n")
const withCrlf = (line: string) => line.endsWith("\n") && !line.endsWith("\r\n") ? `${line.slice(0, -1)}\r\n` : line
