import { folded } from "../../contract/text/folded.ts"

/**
 * Names as the most lenient file system compares them. A path is text with one character per byte ("raw"), so that any bytes of a guest can
 * be keys.
 */
export const raw = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1")

export const bytesOf = (rawText: string): Uint8Array => Buffer.from(rawText, "latin1")

/** Whether a file system reads the component as `.git`, as in git's own checks. `\` separates on NTFS. */
export const isGitName = (component: string): boolean =>
  component.split("\\").some((part) => {
    const name = folded(part)
    return name === ".git" || name === "git~1"
  })

export const hasGitName = (path: string): boolean => path.split("/").some(isGitName)

/** Whether every component of a relative path names an entry of a directory, and nothing else. */
export const isPlainPath = (path: string): boolean =>
  path !== "" && !path.includes("\0") &&
  path.split("/").every((part) => part !== "" && part !== "." && part !== ".." && part.length <= 255)
