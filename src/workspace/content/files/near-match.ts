import { lineCounter, type Replacement } from "./replace.ts"

/** Maximum size of a file to search for near matches. */
const MAX_SEARCHED_BYTES = 2_097_152

const isSpace = (byte: number) => byte === 0x20 || (byte >= 0x09 && byte <= 0x0d)

/** The bytes that are no white space. */
const solid = (bytes: Uint8Array) => Buffer.from(bytes.filter((byte) => !isSpace(byte)))

/** Position of the `index`-th byte that is not white space. */
const placeOfSolid = (bytes: Buffer, index: number) => {
  let left = index
  return bytes.findIndex((byte) => !isSpace(byte) && left-- === 0)
}

const lineOf = (content: Buffer, place: number) => lineCounter(content)(place)

const withoutSpace = (content: Buffer, oldText: string) => {
  const wanted = solid(Buffer.from(oldText))
  const at = wanted.length === 0 ? -1 : solid(content).indexOf(wanted)
  return at === -1
    ? undefined
    : `it would match at line ${lineOf(content, placeOfSolid(content, at))} if white space were ignored: ` +
      `take indentation and line breaks exactly as they are there`
}

const firstLine = (content: Buffer, oldText: string) => {
  const lines = oldText.split("\n").map((line) => line.trim()).filter((line) => line !== "")
  const at = lines.length < 2 ? -1 : content.indexOf(lines[0]!)
  return at === -1
    ? undefined
    : `its first line is at line ${lineOf(content, at)}, what follows there differs`
}

/** Shorter texts are in a file by chance. */
const TELLING = 8

const done = (content: Buffer, newText: string) => {
  const at = newText.trim().length < TELLING ? -1 : content.indexOf(newText)
  return at === -1 ? undefined : `the new text is there already, at line ${lineOf(content, at)}`
}

const replacementCharacter = (oldText: string) =>
  oldText.includes("\ufffd")
    ? "a U+FFFD in it stands for bytes that are not UTF-8: choose text without them"
    : undefined

/** Hint for a caller whose text is not in the file: the most useful near match. */
export const nearMatch = (content: Buffer, { newText, oldText }: Omit<Replacement, "replaceAll">): string => {
  const hint = replacementCharacter(oldText) ?? (content.length > MAX_SEARCHED_BYTES
    ? undefined
    : withoutSpace(content, oldText) ?? done(content, newText) ?? firstLine(content, oldText))
  return `the text to replace is not there${hint === undefined ? "; read the file again" : `; ${hint}`}`
}
