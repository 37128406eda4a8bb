/** What is to be written. Paths are relative to the root, which comes first, with an empty path; parents come before their children. */
export interface PutEntry {
  readonly type: "file" | "directory" | "symlink"
  readonly path: Uint8Array
  /** Permission bits. */
  readonly mode: number
  /** Most bytes of a file's content. */
  readonly size: number
  /** Of a link. */
  readonly target?: Uint8Array | undefined
}

/** In the place of a piece's length: the file is left out (native/put/stage.c). */
export const WITHDRAWN = 0xffff_ffff

/** In the place of a piece's length: a hole of so many bytes, a u64, follows (native/put/stage.c). */
export const HOLE = 0xffff_fffe

/** Ends the list of entries. */
export const LAST_ENTRY = Buffer.from("e")

const letters = { file: 0x66, directory: 0x64, symlink: 0x6c } as const

/** An entry as native/put/plan.h has it. */
export const encodeEntry = (entry: PutEntry): ReadonlyArray<Uint8Array> => {
  const head = Buffer.alloc(15)
  head.writeUInt8(letters[entry.type], 0)
  head.writeUInt16BE(entry.mode & 0o777, 1)
  head.writeBigUInt64BE(BigInt(entry.type === "file" ? entry.size : 0), 3)
  head.writeUInt32BE(entry.path.length, 11)
  if (entry.type !== "symlink") return [head, entry.path]
  const target = entry.target ?? new Uint8Array(0)
  const length = Buffer.alloc(4)
  length.writeUInt32BE(target.length)
  return [head, entry.path, length, target]
}

/** What pyro-put says: records of three fields, each ended by a NUL, as the head of native/put/main.c lists them. */
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
