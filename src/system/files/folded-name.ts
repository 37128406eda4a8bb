/**
 * Names as the most lenient file system compares them. A path is text with one character per byte ("raw"), so that any bytes of a guest can
 * be keys.
 */
export const raw = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1")

export const bytesOf = (rawText: string): Uint8Array => Buffer.from(rawText, "latin1")

/** Code points that HFS+ ignores in comparisons, in UTF-8: git's list. */
const ignored = new RegExp(
  "\\xe2\\x80[\\x8c-\\x8f\\xaa-\\xae]|\\xe2\\x81[\\xaa-\\xaf]|\\xef\\xbb\\xbf",
  "g"
)

/**
 * One component as the most lenient file system reads it: without case (FAT, NTFS, HFS+, ext4's casefold), invisible characters (HFS+),
 * streams after a colon, and trailing spaces and dots (NTFS).
 */
export const folded = (component: string): string =>
  component.replace(ignored, "").replace(/:.*$/s, "").replace(/[. ]+$/, "").toLowerCase()

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
