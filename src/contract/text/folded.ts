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
