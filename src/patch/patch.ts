import { patchLimits } from "../contract/rows/patch-limits.ts"

/** A parsed patch, before its application to a tree. Paths and lines are byte strings. */
export interface Patch {
  /** In order: later parts see the effect of earlier ones. */
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
  /** The content stays, or is empty: a rename, a mode, an empty file; with `wholly`, a deletion of any content. */
  | { readonly _tag: "none"; readonly wholly: boolean }
  | { readonly _tag: "hunks"; readonly hunks: ReadonlyArray<Hunk> }
  | {
    readonly _tag: "binary"
    readonly binary: BinaryContent
    /** Full object names of the contents before and after, if the patch has them. */
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
  /** Stated place of the hunk. */
  readonly place: HunkPlace
}

export type HunkPlace =
  /** In a unified diff: number of the first old line, from 1; for a hunk without old lines, the line before it. */
  | { readonly _tag: "line"; readonly line: number }
  /** In a V4A patch: behind lines with these texts, in order; whitespace may differ. */
  | { readonly _tag: "after"; readonly anchors: ReadonlyArray<string>; readonly atEnd: boolean }

/** Bounds of the parser. It refuses a larger patch, so a hostile one costs at most seconds and some memory. */
export const limits = {
  /** Bytes of a patch. */
  patch: patchLimits.bytes,
  files: patchLimits.files,
  /** More than a patch of so many bytes has, with lines of context around each. */
  hunks: 500_000,
  lines: patchLimits.lines,
  /** Maximum inflated bytes of all binary content of one patch. */
  inflated: 128 * 1024 * 1024,
  /** Maximum bytes of a patched file, before or after. */
  file: 64 * 1024 * 1024,
  /** Maximum bytes of all patched files. */
  total: 256 * 1024 * 1024,
  path: 4_095,
  name: 255
} as const

/** Problem of an unreadable patch. `line` counts from 1. */
export class PatchMalformed extends Error {
  readonly line: number
  constructor(line: number, detail: string) {
    super(detail)
    this.line = line
  }
}
