/** A content as git compares it with patches, where the file in the work tree has another form. */
export interface Conversion {
  /** A byte string. */
  readonly text: string
  /** The same for a line of a patch. */
  readonly line: (text: string) => string
  /** The form of the file again. Undefined: the text has no such form. */
  readonly back: (text: string) => Buffer | undefined
  /** The text is the file's own: a reason why a patch does not fit it says more than one about the bytes. */
  readonly isText: boolean
}

const BOM = "\uFEFF"
const byteStringOf = (text: string) => Buffer.from(text, "utf8").toString("latin1")
const same = (line: string) => line

/** The characters of bytes. Undefined: they have other bytes than characters. */
const decoded = (bytes: Uint8Array, encoding: "utf-8" | "utf-16le" | "utf-16be"): string | undefined => {
  try {
    return new TextDecoder(encoding, { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    return undefined
  }
}

/** Byte order of UTF-16: that of its mark, or where the zeros of most characters are. Undefined: it is none. */
const byteOrder = (content: Uint8Array): "utf-16le" | "utf-16be" | undefined => {
  if (content.length < 2 || content.length % 2 !== 0) return undefined
  const [first, second] = content
  if (first === 0xff && second === 0xfe) return "utf-16le"
  if (first === 0xfe && second === 0xff) return "utf-16be"
  return second === 0 && first !== 0 ? "utf-16le" : first === 0 && second !== 0 ? "utf-16be" : undefined
}

/** A file in UTF-16: git's patches of it are UTF-8, by `working-tree-encoding`. Names of encodings with a byte order keep the mark as a character. */
const ofUtf16 = (content: Uint8Array): ReadonlyArray<Conversion> => {
  const encoding = byteOrder(content)
  const text = encoding && decoded(content, encoding)
  if (text === undefined || text.includes("\0")) return []
  const isMarked = text.startsWith(BOM)
  const conversion = (mark: string): Conversion => ({
    text: byteStringOf(text.slice(mark.length)),
    line: same,
    back: (patched) => {
      const characters = decoded(Buffer.from(patched, "latin1"), "utf-8")
      if (characters === undefined) return undefined
      const bytes = Buffer.from(mark + characters, "utf16le")
      return encoding === "utf-16be" ? bytes.swap16() : bytes
    },
    isText: true
  })
  return isMarked ? [conversion(BOM), conversion("")] : [conversion("")]
}

const EXPANDED = /\$Id:[^\n$]*\$/g
const withoutIds = (text: string) => text.replaceAll(EXPANDED, "$Id$")

/** A file with what the attribute `ident` puts into `$Id$`: git's patches have it without. The expansion of a file stays until git's next checkout. */
const ofIdent = (content: Uint8Array): ReadonlyArray<Conversion> => {
  const given = Buffer.from(content.buffer, content.byteOffset, content.byteLength).toString("latin1")
  const expansions = new Set(given.match(EXPANDED))
  const [expansion = "$Id$"] = expansions
  // Several: not git's.
  if (expansions.size > 1 || !given.includes("$Id") || (expansions.size === 1 && given.includes("$Id$"))) return []
  return [{
    text: withoutIds(given),
    line: withoutIds,
    back: (text) => Buffer.from(text.replaceAll("$Id$", () => expansion), "latin1"),
    isText: false
  }]
}

/** Other forms of a content that a patch may be made for. */
export const conversionsOf = (content: Uint8Array): ReadonlyArray<Conversion> => [
  ...ofUtf16(content),
  ...ofIdent(content)
]
