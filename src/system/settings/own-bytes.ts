import { isUtf8 } from "node:buffer"
import { readFileSync, readlinkSync } from "node:fs"
import { pathText } from "../../contract/text/path-text.ts"
import { nextCharacter } from "../../contract/text/utf8.ts"
import { isLinux } from "./this-computer.ts"

// Node decodes the words, the variables and the directory of its process, and puts U+FFFD in place of bytes that are not UTF-8. The kernel
// has the bytes. They are read only if a text has a U+FFFD, which the person may have typed.

const REPLACEMENT = "\ufffd"

/** The entries of a file of /proc/self, each of which ends with a NUL. Empty if the file cannot be read. */
const entriesOf = (file: "cmdline" | "environ"): ReadonlyArray<Buffer> => {
  if (!isLinux()) return []
  try {
    const entries = readFileSync(`/proc/self/${file}`, "latin1").split("\0")
    return entries.slice(0, -1).map((entry) => Buffer.from(entry, "latin1"))
  } catch {
    return []
  }
}

/** An argument of this process that is not UTF-8. */
interface LossyArgument {
  /** From 1. */
  readonly position: number
  /** The part around the first such byte, in git's quoted form. */
  readonly text: string
}

/** The first of the last arguments of this process that is not UTF-8. */
export const lossyArgument = (
  words: ReadonlyArray<string>,
  own: () => ReadonlyArray<Buffer> = () => entriesOf("cmdline")
): LossyArgument | undefined => {
  if (!words.some((word) => word.includes(REPLACEMENT))) return undefined
  const bytes = own().slice(-words.length)
  const at = bytes.findIndex((word) => !isUtf8(word))
  return at < 0 ? undefined : { position: at + 1, text: pathText(around(bytes[at]!)) }
}

const SHOWN_BEFORE = 60
const SHOWN_BEHIND = 20

/** The bytes around the first one that is not UTF-8. */
const around = (bytes: Buffer): Buffer => {
  const text = bytes.toString("utf8")
  const at = Buffer.byteLength(text.slice(0, text.indexOf(REPLACEMENT)))
  return bytes.subarray(nextCharacter(bytes, Math.max(0, at - SHOWN_BEFORE)), at + SHOWN_BEHIND)
}

/** Whether a variable of this process is not UTF-8. `value`: what Node shows. */
export const isLossyVariable = (
  name: string,
  value: string,
  own: () => ReadonlyArray<Buffer> = () => entriesOf("environ")
): boolean => {
  if (!value.includes(REPLACEMENT)) return false
  const start = Buffer.from(`${name}=`)
  const entry = own().find((entry) => entry.subarray(0, start.length).equals(start))
  return entry !== undefined && !isUtf8(entry)
}

/** Whether the path of the working directory is not UTF-8. `path`: what Node shows. */
export const isLossyDirectory = (path: string): boolean => {
  if (!path.includes(REPLACEMENT) || !isLinux()) return false
  try {
    return !isUtf8(readlinkSync("/proc/self/cwd", "buffer"))
  } catch {
    return false
  }
}
