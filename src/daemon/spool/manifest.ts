import { gunzipSync } from "node:zlib"
import { MAX_SPOOL_ENTRIES, MAX_UNPACKED_MANIFEST_BYTES, type SpoolEntry } from "../../contract/wire/spool.ts"

/** A manifest whose entries can be made beneath one folder, in their order, without a link on the way. */
export interface Checked {
  readonly entries: ReadonlyArray<SpoolEntry>
  readonly facts: unknown
  readonly files: number
  readonly sizeBytes: number
}

const MAX_NAME_BYTES = 255
/** The path of an entry and that of the spool are at most PATH_MAX together. */
const MAX_PATH_BYTES = 3_072
const MAX_TARGET_BYTES = 4_095
const SHA256 = /^[0-9a-f]{64}$/
/** Text with one character for each byte. */

const BYTES = /^[\x01-\xff]*$/

const isWhole = (value: unknown, most: number): value is number =>
  typeof value === "number" && Number.isSafeInteger(value) && value >= 0 && value <= most

/** The directory of a path. Undefined: it is no path beneath a tree. */
const parentOf = (path: string): string | undefined => {
  if (path.length > MAX_PATH_BYTES || !BYTES.test(path)) return undefined
  const names = path.split("/")
  const isPlain = names.every((name) => name !== "" && name !== "." && name !== ".." && name.length <= MAX_NAME_BYTES)
  return isPlain ? names.slice(0, -1).join("/") : undefined
}

/** Why the fields of an entry are wrong. Undefined: they are right. */
const faultOf = (entry: unknown): string | undefined => {
  if (!Array.isArray(entry)) return "is no list"
  const [type, path, mode, mtimeMs, ...rest] = entry as ReadonlyArray<unknown>
  if (typeof path !== "string") return "has no path"
  if (!isWhole(mode, 0o777)) return "has no permission bits"
  if (typeof mtimeMs !== "number" || !Number.isFinite(mtimeMs)) return "has no time"
  switch (type) {
    case "d":
      return rest.length === 0 ? undefined : "has too many fields"
    case "f":
      return rest.length === 2 && isWhole(rest[0], Number.MAX_SAFE_INTEGER) && typeof rest[1] === "string" &&
          SHA256.test(rest[1])
        ? undefined
        : "has no size and SHA-256"
    case "l": {
      const [target] = rest
      return rest.length === 1 && typeof target === "string" && target !== "" && target.length <= MAX_TARGET_BYTES &&
          BYTES.test(target)
        ? undefined
        : "has no target"
    }
    default:
      return "has no type"
  }
}

/** Checks the entries, which a hostile client may have chosen. Gives the fault as text. */
const checkEntries = (entries: unknown): Checked["entries"] | string => {
  if (!Array.isArray(entries) || entries.length === 0) return "it has no entries"
  if (entries.length > MAX_SPOOL_ENTRIES) return `it has more than ${MAX_SPOOL_ENTRIES} entries`
  const folders = new Set<string>()
  const seen = new Set<string>()
  for (const [at, entry] of entries.entries()) {
    const fault = faultOf(entry)
    if (fault !== undefined) return `entry ${at} ${fault}`
    const [type, path] = entry as SpoolEntry
    if (at === 0) {
      if (path !== "" || type === "l") return "the first entry must be the tree itself"
      if (type === "f" && entries.length > 1) return "a file has no further entries"
    } else {
      const parent = parentOf(path)
      if (parent === undefined) return `entry ${at} has no path beneath the tree`
      if (!folders.has(parent)) return `entry ${at} does not follow its directory`
      if (seen.has(path)) return `entry ${at} has the path of another entry`
    }
    seen.add(path)
    if (type === "d") folders.add(path)
  }
  return entries as Checked["entries"]
}

/** A manifest as the client has sent it. Gives the fault as text. */
export const readManifest = (packed: Uint8Array): Checked | string => {
  let manifest: unknown
  try {
    manifest = JSON.parse(gunzipSync(packed, { maxOutputLength: MAX_UNPACKED_MANIFEST_BYTES }).toString("utf8"))
  } catch {
    return "it is no JSON in gzip, or too large"
  }
  if (typeof manifest !== "object" || manifest === null) return "it is no object"
  const { entries: given, facts, format } = manifest as Record<string, unknown>
  if (format !== 1) return "it has another format: update pyro on this computer or on the other machine"
  const entries = checkEntries(given)
  if (typeof entries === "string") return entries
  let [files, sizeBytes] = [0, 0]
  for (const entry of entries) {
    if (entry[0] !== "f") continue
    files++
    sizeBytes += entry[4]
  }
  return Number.isSafeInteger(sizeBytes) ? { entries, facts, files, sizeBytes } : "its files are too large"
}
