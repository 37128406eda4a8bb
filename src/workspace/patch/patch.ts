import { patchLimits } from "../../contract/patch-limits.ts"

/** A patch as it was read, before it met a tree. Paths and lines are byte strings. */
export interface Patch {
  /** In their order; later ones see what earlier ones did. */
  readonly files: ReadonlyArray<FilePatch>
}

export interface FilePatch {
  /** Path before; undefined when the file is created. */
  readonly from: string | undefined
  /** Path after; undefined when the file is deleted. */
  readonly to: string | undefined
  /** The file at `from` stays. */
  readonly isCopy: boolean
  /** As in git's headers; undefined when the patch does not say. */
  readonly oldMode: GitMode | undefined
  readonly newMode: GitMode | undefined
  readonly content: FileContent
}

export type GitMode = 0o100644 | 0o100755 | 0o120000

export type FileContent =
  /** Stays, or is nothing: a rename, a mode, an empty file; with `wholly`, a deletion whatever it holds. */
  | { readonly _tag: "none"; readonly wholly: boolean }
  | { readonly _tag: "hunks"; readonly hunks: ReadonlyArray<Hunk> }
  | {
    readonly _tag: "binary"
    readonly binary: BinaryContent
    /** Full names of the contents before and after, where the patch has them. */
    readonly oldName: string | undefined
    readonly newName: string | undefined
  }

export interface BinaryContent {
  readonly kind: "literal" | "delta"
  readonly bytes: Uint8Array
}

export interface HunkLine {
  readonly sign: " " | "-" | "+"
  /** With its line feed, unless the file ends without one. */
  readonly text: string
}

export interface Hunk {
  readonly lines: ReadonlyArray<HunkLine>
  /** Where it says that it fits. */
  readonly place: HunkPlace
}

export type HunkPlace =
  /** Of a unified diff: number of its first old line, from 1; of a hunk without old lines, the line before it. */
  | { readonly _tag: "line"; readonly line: number }
  /** Of a V4A patch: behind lines with these texts, one after the other; whitespace may differ. */
  | { readonly _tag: "after"; readonly anchors: ReadonlyArray<string>; readonly atEnd: boolean }

/** Bounds of what is read. A patch beyond them is refused, so a hostile one costs seconds and some memory at most. */
export const limits = {
  /** Bytes of a patch. */
  patch: patchLimits.bytes,
  files: patchLimits.files,
  /** More than a patch of so many bytes has, with lines of context around each. */
  hunks: 500_000,
  lines: patchLimits.lines,
  /** Bytes that binary content of one patch may inflate to, in all. */
  inflated: 128 * 1024 * 1024,
  /** Bytes of a file that is patched, before or after. */
  file: 64 * 1024 * 1024,
  /** Bytes of all of them. */
  total: 256 * 1024 * 1024,
  path: 4_095,
  name: 255
} as const

/** What is wrong with a patch that cannot be read. `line` counts from 1. */
export class PatchMalformed extends Error {
  readonly line: number
  constructor(line: number, detail: string) {
    super(detail)
    this.line = line
  }
}
