import { blobName } from "../../../system/files/git-blob.ts"
import { bytesOf, byteString, type FilePatch, type Hunk, limits, linesOf } from "../model/patch.ts"
import { conversionsOf } from "./conversions.ts"
import { applyDelta } from "./delta.ts"
import { FileLines } from "./find-lines.ts"
import { hunksToLf, type LineEnd, lineEndOf, lineEndOfHunks, toCrlf, toLf } from "./line-ends.ts"
import { type Place, placeHunk, type SearchBudget } from "./place-hunk.ts"

export interface Reject {
  /** From 1; 0 = the file as a whole. */
  readonly hunk: number
  readonly reason: string
}

/** A hunk that does not fit exactly. */
export interface HunkNote {
  /** From 1. */
  readonly hunk: number
  /** Lines between the stated and the found place; negative upwards. */
  readonly offset: number
  /** The hunk fits only without regard to white space or a missing last line feed. */
  readonly isLoose: boolean
}

type Patched =
  | {
    readonly _tag: "is"
    readonly content: Uint8Array
    readonly notes: ReadonlyArray<HunkNote>
    /** End of all lines of the file, if those of the patch end otherwise. The file's end is kept. */
    readonly lineEnd?: LineEnd | undefined
  }
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
    case "hunks":
      return applyInAnyForm(before, content.hunks, budget)
    case "binary": {
      if (isNamedOtherwise(before, content.oldName)) {
        return whole("its content is not what the binary patch was made for")
      }
      const { bytes, kind } = content.binary
      const now = kind === "literal" ? bytes : applyDelta(before, bytes, limits.file)
      if (now === undefined) return whole("the binary delta does not fit its content")
      if (isNamedOtherwise(now, content.newName)) return whole("the binary patch does not make what it says")
      return { _tag: "is", content: now, notes: [] }
    }
  }
}

/** Whether a patch names another blob. A name of zeros means no blob. */
const isNamedOtherwise = (content: Uint8Array, name: string | undefined) =>
  name !== undefined && !/^0+$/.test(name) && blobName(content) !== name

interface Edit {
  readonly hunk: Hunk
  readonly place: Place & { readonly _tag: "at" }
}

interface PatchedText {
  readonly _tag: "is"
  readonly text: string
  readonly notes: ReadonlyArray<HunkNote>
}

/** Applies all hunks to a content, or else to the form in which git has the content, by its attributes `working-tree-encoding` and `ident`. */
const applyInAnyForm = (before: Uint8Array, hunks: ReadonlyArray<Hunk>, budget: SearchBudget): Patched => {
  const made = applyHunks(byteString(before), hunks, budget)
  if (made._tag === "is") return made
  let rejected: Patched = made
  for (const { back, isText, line, text } of conversionsOf(before)) {
    const inForm = hunks.map((hunk) => ({
      ...hunk,
      lines: hunk.lines.map((one) => ({ ...one, text: line(one.text) }))
    }))
    const patched = applyHunks(text, inForm, budget)
    if (patched._tag === "is") {
      const content = back(byteString(patched.content))
      if (content !== undefined) return { ...patched, content }
    } else if (isText && rejected === made) rejected = patched
  }
  return rejected
}

/** Applies all hunks to a content, or none if one of them does not fit. */
const applyHunks = (content: string, hunks: ReadonlyArray<Hunk>, budget: SearchBudget): Patched => {
  const end = otherLineEnd(content, hunks)
  const patched = end === undefined
    ? applyExactly(content, hunks, budget)
    : end === "lf"
    ? applyExactly(content, hunksToLf(hunks), budget)
    : applyExactly(toLf(content), hunks, budget)
  if (patched._tag === "rejected") return patched
  const { notes, text } = patched
  return { _tag: "is", content: bytesOf(end === "crlf" ? toCrlf(text) : text), notes, lineEnd: end }
}

/**
 * End of all lines of a content, if those of the hunks all end otherwise. Models write LF, and some editors CRLF, also for such a
 * file. Hunks without an old line that ends fit as they are.
 */
const otherLineEnd = (content: string, hunks: ReadonlyArray<Hunk>): LineEnd | undefined => {
  const [end, given] = [lineEndOf(content), lineEndOfHunks(hunks)]
  if (end === given || end === undefined || given === undefined) return undefined
  const namesEnds = hunks.some(({ lines }) => lines.some(({ sign, text }) => sign !== "+" && text.endsWith("\n")))
  return namesEnds ? end : undefined
}

const applyExactly = (
  content: string,
  hunks: ReadonlyArray<Hunk>,
  budget: SearchBudget
): PatchedText | (Patched & { readonly _tag: "rejected" }) => {
  const file = new FileLines(linesOf(content))
  const edits: Array<Edit> = []
  const rejects: Array<Reject> = []
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
  return rejects.length > 0
    ? { _tag: "rejected", rejects }
    : { _tag: "is", text: edited(file, edits), notes }
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

/** Models write LF in patches, also for files whose lines end with CR LF. */
const isCrlf = (file: FileLines) => file.count > 0 && file.lines[0]!.endsWith("\r\n")
const withCrlf = (line: string) => line.endsWith("\n") && !line.endsWith("\r\n") ? `${line.slice(0, -1)}\r\n` : line
