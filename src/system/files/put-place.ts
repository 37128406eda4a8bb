import * as fs from "node:fs"
import * as path from "node:path"
import type { PutEntry } from "./put-records.ts"

/** Folder, name and entries of a request. */
interface Place {
  readonly parent: string
  readonly name: string
  readonly within?: string | undefined
  readonly entries: ReadonlyArray<PutEntry>
}

/** A request whose folder exists, with the missing folders as its first entries. */
export interface PutPlace {
  readonly parent: string
  readonly name: string
  readonly entries: Iterable<PutEntry>
  /** A path of the helper's reports as the caller has it; undefined for a missing folder. */
  readonly own: (reported: Uint8Array) => Uint8Array | undefined
  /** Where a missing folder belongs. */
  readonly folderOf: (reported: Uint8Array) => Uint8Array
}

/** Permission bits of a folder that nothing asked for by name. */
const FOLDER_MODE = 0o755

/** Whether a path leads nowhere. A path that cannot be looked at is the helper's to judge. */
const isMissing = (folder: string): boolean => {
  try {
    return fs.statSync(folder, { throwIfNoEntry: false }) === undefined
  } catch {
    return false
  }
}

/**
 * Makes the missing folders above the output a part of the output: the helper then places all or none, and follows no link that
 * appears meanwhile. The look at the host is only a guess, which the helper checks.
 */
export const putPlace = ({ entries, name, parent, within }: Place): PutPlace => {
  const missing: Array<string> = []
  let at = parent
  while (at !== path.dirname(at) && isMissing(within === undefined ? at : path.join(within, at))) {
    missing.unshift(path.basename(at))
    at = path.dirname(at)
  }
  const [top] = missing
  if (top === undefined || missing.some((one) => one === "." || one === "..")) {
    return { parent, name, entries, own: (reported) => reported, folderOf: (reported) => reported }
  }
  const beneathTop = [...missing.slice(1), name]
  const prefix = Buffer.from(beneathTop.join("/"))
  const folders = beneathTop.map((_, depth) => Buffer.from(beneathTop.slice(0, depth).join("/")))
  return {
    parent: at,
    name: top,
    entries: placed(entries, prefix, folders),
    own: (reported) =>
      reported.length < prefix.length
        ? undefined
        : Buffer.from(reported.subarray(Math.min(prefix.length + 1, reported.length))),
    folderOf: (reported) => {
      const folder = Buffer.from(path.join(at, top))
      return reported.length === 0 ? folder : Buffer.concat([folder, SLASH, reported])
    }
  }
}

function* placed(
  entries: ReadonlyArray<PutEntry>,
  prefix: Buffer,
  folders: ReadonlyArray<Buffer>
): Generator<PutEntry> {
  for (const path of folders) yield { type: "directory", path, mode: FOLDER_MODE, size: 0 }
  for (const entry of entries) {
    yield { ...entry, path: entry.path.length === 0 ? prefix : Buffer.concat([prefix, SLASH, entry.path]) }
  }
}

const SLASH = Buffer.from("/")
