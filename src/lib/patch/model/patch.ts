import type { Effect } from "effect"
import { patchLimits } from "../../../contract/rows/workspace-patch.ts"
import type { GitMode } from "../../../contract/text/git-mode.ts"

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

export type { GitMode }

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

/** The inflated bytes: the content itself, or a delta to the content before. */
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

type HunkPlace =
  /** In a unified diff: number of the first old line, from 1; for a hunk without old lines, the line before it. */
  | { readonly _tag: "line"; readonly line: number }
  /** In a V4A patch: after lines with these texts, in order. Whitespace may differ. */
  | { readonly _tag: "after"; readonly anchors: ReadonlyArray<string>; readonly atEnd: boolean }

/** One side of a change: the file at a path before or after. */
export interface Side {
  /** Mode as in git: 0o100644, 0o100755, or 0o120000 for a symbolic link, whose content is its target. */
  readonly mode: GitMode
  readonly content: Uint8Array
}

/** One difference between two trees. Paths are bytes relative to the tree, without a leading `/`. */
export interface Change {
  /** Path after the change; of a deletion, the path before. */
  readonly path: Uint8Array
  /** Old path of a rename. */
  readonly from?: Uint8Array | undefined
  /** Undefined: the file did not exist. */
  readonly before: Side | undefined
  /** Undefined: the file is gone. */
  readonly after: Side | undefined
}

/** Entry of a tree at a path. */
export type Found =
  | { readonly _tag: "absent" }
  /** Or a symbolic link, whose content is its target. */
  | { readonly _tag: "file"; readonly mode: GitMode; readonly size: number }
  | { readonly _tag: "directory"; readonly names: ReadonlyArray<string> }
  /** An entry that a patch cannot touch: a device, a socket. */
  | { readonly _tag: "other"; readonly what: string }

/** A tree for a patch. Paths and names are byte strings. No link is followed. */
export interface PatchTree<E> {
  readonly at: (path: string) => Effect.Effect<Found, E>
  /** Content of the file or target of the link at a path. Fails if the size differs from the `size` of `at`. */
  readonly content: (path: string) => Effect.Effect<Uint8Array, E>
}

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

/**
 * Text and paths of patches are "byte strings": one character per byte (latin1). This form loses nothing, and the runtime's string functions
 * work on it.
 */
export const byteString = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1")

export const bytesOf = (text: string): Uint8Array => Buffer.from(text, "latin1")

const root = "/workspace"

/**
 * A path of a patch, relative to /workspace: without `.` and without a leading /workspace. Forbidden paths stay so: `..` is kept,
 * and a path with an empty component is unchanged.
 */
export const relativePath = (named: string): string => {
  if (named.includes("//")) return named
  const path = named.split("/").filter((name) => name !== ".").join("/")
  if (path === root) return ""
  return path.startsWith(`${root}/`) ? path.slice(root.length + 1) : path
}

/** Reason why a patch may not use a path. `undefined` if it may. Paths are byte strings, relative to /workspace. */
export const pathProblem = (path: string): string | undefined => {
  if (path === "") return "it names no file"
  if (path.includes("//")) return "it has an empty component"
  if (path.startsWith("/")) return "it is absolute, and not beneath /workspace"
  if (path.includes("\0")) return "it has a NUL byte in it"
  if (path.length > limits.path) return "it is too long"
  for (const name of path.split("/")) {
    if (name === "..") return "it leads out of its directory"
    if (name === "" || name === ".") return "it has an empty component"
    if (name.toLowerCase() === ".git") return "it lies in .git"
    if (name.length > limits.name) return "a component of it is too long"
  }
  return undefined
}

/** The lines of a byte string with their line feeds; only the last may lack one. */
export const linesOf = (text: string): Array<string> => {
  const lines: Array<string> = []
  for (let at = 0; at < text.length;) {
    const feed = text.indexOf("\n", at)
    const end = feed < 0 ? text.length : feed + 1
    lines.push(text.slice(at, end))
    at = end
  }
  return lines
}
