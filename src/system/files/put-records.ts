import * as fs from "node:fs"
import * as path from "node:path"

/** An entry to write. Paths are relative to the root, which comes first, with an empty path. Parents come before their children. */
export interface PutEntry {
  readonly type: "file" | "directory" | "symlink"
  readonly path: Uint8Array
  /** Permission bits. */
  readonly mode: number
  /** Maximum bytes of a file's content. */
  readonly size: number
  /** Time of the last modification of a file, in ns since 1970. Default: now. */
  readonly mtimeNs?: bigint | undefined
  /** Target of a link. */
  readonly target?: Uint8Array | undefined
}

/** Instead of a piece's length: the file is omitted (native/put/stage.c). */
export const WITHDRAWN = 0xffff_ffff

/** Instead of a piece's length: a hole, whose length follows as a u64 (native/put/stage.c). */
export const HOLE = 0xffff_fffe

/** Ends the list of entries. */
export const LAST_ENTRY = Buffer.from("e")

const letters = { file: 0x66, directory: 0x64, symlink: 0x6c } as const
const TIMED_FILE = 0x74

/** Encodes an entry as in native/put/plan.h. */
export const encodeEntry = (entry: PutEntry): ReadonlyArray<Uint8Array> => {
  const head = Buffer.alloc(15)
  const time = entry.type === "file" ? entry.mtimeNs : undefined
  head.writeUInt8(time === undefined ? letters[entry.type] : TIMED_FILE, 0)
  head.writeUInt16BE(entry.mode & 0o777, 1)
  head.writeBigUInt64BE(BigInt(entry.type === "file" ? entry.size : 0), 3)
  head.writeUInt32BE(entry.path.length, 11)
  if (time !== undefined) {
    const ns = Buffer.alloc(8)
    ns.writeBigInt64BE(BigInt.asIntN(64, time))
    return [head, entry.path, ns]
  }
  if (entry.type !== "symlink") return [head, entry.path]
  const target = entry.target ?? new Uint8Array(0)
  const length = Buffer.alloc(4)
  length.writeUInt32BE(target.length)
  return [head, entry.path, length, target]
}

/** Output of pyro-put: records of three fields, each ended by a NUL, as listed at the head of native/put/main.c. */
export class PutRecords {
  ready = false
  done = false
  error: { readonly outcome: string; readonly detail: string } | undefined
  readonly conflicts: Array<{ readonly path: Uint8Array; readonly reason: string }> = []
  readonly counts = new Map<string, number>()
  readonly replaced: Array<Uint8Array> = []
  readonly there: Array<Uint8Array> = []
  #held = Buffer.alloc(0)

  push(bytes: Buffer) {
    const all = this.#held.length === 0 ? bytes : Buffer.concat([this.#held, bytes])
    let at = 0
    for (;;) {
      const kindEnd = all.indexOf(0, at)
      const subjectEnd = kindEnd < 0 ? -1 : all.indexOf(0, kindEnd + 1)
      const textEnd = subjectEnd < 0 ? -1 : all.indexOf(0, subjectEnd + 1)
      if (textEnd < 0) break
      this.#take(
        all.toString("latin1", at, kindEnd),
        Buffer.from(all.subarray(kindEnd + 1, subjectEnd)),
        all.toString("utf8", subjectEnd + 1, textEnd)
      )
      at = textEnd + 1
    }
    this.#held = Buffer.from(all.subarray(at))
  }

  #take(kind: string, subject: Buffer, text: string) {
    switch (kind) {
      case "ready":
        this.ready = true
        return
      case "done":
        this.done = true
        return
      case "conflict":
        this.conflicts.push({ path: subject, reason: text })
        return
      case "replaced":
        this.replaced.push(subject)
        return
      case "there":
        this.there.push(subject)
        return
      case "count":
        this.counts.set(subject.toString(), Number(text))
        return
      case "error":
        this.error = { outcome: subject.toString(), detail: text }
    }
  }
}

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
  /** The caller's form of a path in the helper's reports. Undefined for a missing folder. */
  readonly own: (reported: Uint8Array) => Uint8Array | undefined
  /** The full path of a missing folder. */
  readonly folderOf: (reported: Uint8Array) => Uint8Array
  /** The outermost missing folder. */
  readonly missing?: string
}

/** Permission bits of a folder that the caller did not name. */
const FOLDER_MODE = 0o755

/** Whether a path is missing. The helper judges a path that cannot be read. */
const isMissing = (folder: string): boolean => {
  try {
    return fs.statSync(folder, { throwIfNoEntry: false }) === undefined
  } catch {
    return false
  }
}

/**
 * Adds the missing folders above the output to the output. The helper then places all or none, and follows no link that appears in the
 * meantime. This look at the host is a guess that the helper checks.
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
    missing: within === undefined ? path.join(at, top) : path.join(within, at, top),
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
