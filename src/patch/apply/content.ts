import { blobName } from "../../system/files/git-blob.ts"
import { bytesOf, byteString, type FilePatch, type Hunk, limits, linesOf } from "../patch.ts"
import { FileLines } from "./find-lines.ts"
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
    case "hunks":
      return applyHunks(before, content.hunks, budget)
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

/** Applies all hunks to a content, or none if one of them does not fit. */
const applyHunks = (content: Uint8Array, hunks: ReadonlyArray<Hunk>, budget: SearchBudget): Patched => {
  const file = new FileLines(linesOf(byteString(content)))
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
    : { _tag: "is", content: bytesOf(edited(file, edits)), notes }
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

/**
 * Applies a delta of git (Documentation/gitformat-pack) to its base content. `undefined` for another base, a damaged delta, or a
 * result over `limit` bytes.
 */
const applyDelta = (base: Uint8Array, delta: Uint8Array, limit: number): Uint8Array | undefined => {
  let at = 0
  const size = (): number => {
    let value = 0
    for (let scale = 1; at < delta.length; scale *= 128) {
      const byte = delta[at++]!
      value += (byte & 0x7f) * scale
      if (value > limit) return Infinity
      if (byte < 0x80) return value
    }
    return Infinity
  }
  if (size() !== base.length) return undefined
  const total = size()
  if (total > limit) return undefined
  const result = Buffer.alloc(total)
  let made = 0
  const put = (bytes: Uint8Array, count: number) => {
    if (bytes.length !== count || made + count > total) return false
    result.set(bytes, made)
    made += count
    return true
  }
  while (at < delta.length) {
    const command = delta[at++]!
    if (command === 0) return undefined
    if (command < 0x80) {
      if (!put(delta.subarray(at, at + command), command)) return undefined
      at += command
      continue
    }
    const [offset, count] = [[0, 1, 2, 3], [4, 5, 6]].map((bits) =>
      bits.reduce((value, bit, i) => value + ((command >> bit) & 1 ? (delta[at++] ?? 0) * 256 ** i : 0), 0)
    ) as [number, number]
    const copied = count === 0 ? 0x10000 : count
    if (!put(base.subarray(offset, offset + copied), copied)) return undefined
  }
  return made === total ? result : undefined
}
