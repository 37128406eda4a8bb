import { Effect, type Scope } from "effect"
import { createGzip } from "node:zlib"
import { ContentHash } from "../../system/files/digest.ts"
import { bytesOf } from "../../system/files/folded-name.ts"
import { type Put, PutFailed } from "../../system/files/put.ts"
import type { TreeEntry } from "./tree.ts"

export type ArchiveFormat = "tar" | "tar.gz"

/** The archive format of an output's name. `undefined` for other names. */
export const archiveFormat = (name: string): ArchiveFormat | undefined =>
  /\.(tar\.gz|tgz)$/i.test(name) ? "tar.gz" : /\.tar$/i.test(name) ? "tar" : undefined

/** Maximum bytes of an archive: gzip makes incompressible content a little larger. */
export const largestArchive = (entries: ReadonlyArray<TreeEntry>, format: ArchiveFormat): number => {
  const size = archiveSize(entries)
  return format === "tar" ? size : size + Math.ceil(size / 1000) + 1024
}

/** Bytes of one write: it gathers many small headers. */
const GATHERED_BYTES = 64 * 1024
const ZEROS = new Uint8Array(GATHERED_BYTES)

/** Writes entries as one archive, which becomes the content of the single file of `file`. */
export const archivePut = (
  file: Put,
  entries: ReadonlyArray<TreeEntry>,
  format: ArchiveFormat
): Effect.Effect<Put, never, Scope.Scope> =>
  Effect.map(format === "tar" ? Effect.succeed(plain(file)) : gzipped(file), (sink) => {
    const rest = entries.filter(({ path }) => path !== "").values()
    const hash = new ContentHash()
    let pending: Array<Uint8Array> = []
    let pendingBytes = 0
    /** The current file, after its header. */
    let open: { left: number; readonly size: number } | undefined
    const flush = Effect.suspend(() => {
      const all = Buffer.concat(pending, pendingBytes)
      pending = []
      pendingBytes = 0
      return all.length === 0 ? Effect.void : sink.write(all)
    })
    const add = (bytes: Uint8Array) =>
      Effect.suspend(() => {
        pending.push(bytes)
        pendingBytes += bytes.length
        return pendingBytes < GATHERED_BYTES ? Effect.void : flush
      })
    /** Headers up to the next file's, which is returned. */
    const nextFile = Effect.gen(function*() {
      for (let next = rest.next(); next.done !== true; next = rest.next()) {
        if (next.value.type === "file") return next.value
        yield* add(entryHeader(next.value))
      }
      return undefined
    })
    const begin = Effect.gen(function*() {
      if (open !== undefined) return open
      const entry = yield* nextFile
      if (entry === undefined) return yield* Effect.die(new Error("content for no file of the archive"))
      yield* add(entryHeader(entry))
      return (open = { left: entry.size, size: entry.size })
    })
    const content = (bytes: Uint8Array) => {
      hash.add(bytes)
      return add(bytes)
    }
    return {
      write: (bytes) =>
        Effect.flatMap(begin, (current) => {
          current.left -= bytes.length
          return content(bytes)
        }),
      // The header already has the size: zeros fill up a file that became shorter.
      endFile: Effect.gen(function*() {
        const current = yield* begin
        for (; current.left > 0; current.left -= Math.min(current.left, ZEROS.length)) {
          yield* content(ZEROS.subarray(0, current.left))
        }
        yield* add(ZEROS.subarray(0, padding(current.size)))
        open = undefined
        return hash.take()
      }),
      omitFile: Effect.suspend(() =>
        open === undefined
          ? Effect.asVoid(nextFile)
          : new PutFailed({ reason: "failed", detail: "a file went away while it was archived", conflicts: [] })
      ),
      commit: Effect.gen(function*() {
        yield* nextFile
        yield* add(archiveEnd)
        yield* flush
        yield* sink.end
        yield* file.endFile
        return yield* file.commit
      })
    }
  })

/** Destination of an archive's bytes. */
interface Sink {
  readonly write: (bytes: Uint8Array) => Effect.Effect<void, PutFailed>
  readonly end: Effect.Effect<void, PutFailed>
}

const plain = (file: Put): Sink => ({ write: file.write, end: Effect.void })

/** Compresses on another thread. Passes output on before it accepts more input. */
const gzipped = (file: Put): Effect.Effect<Sink, never, Scope.Scope> =>
  Effect.acquireRelease(Effect.sync(() => createGzip()), (gzip) => Effect.sync(() => gzip.destroy())).pipe(
    Effect.map((gzip) => {
      let out: Array<Uint8Array> = []
      gzip.on("data", (bytes: Buffer) => out.push(bytes))
      const passOn = Effect.suspend(() => {
        const ready = out
        out = []
        return Effect.forEach(ready, file.write, { discard: true })
      })
      return {
        write: (bytes) =>
          Effect.callback<void>((resume) => void gzip.write(bytes, () => resume(Effect.void))).pipe(
            Effect.andThen(passOn)
          ),
        end: Effect.callback<void>((resume) => {
          gzip.once("end", () => resume(Effect.void))
          gzip.end()
        }).pipe(Effect.andThen(passOn))
      }
    })
  )

/**
 * Archives in GNU tar's format, which GNU tar, bsdtar, Python, Go and Node's libraries read. Names are bytes of any length, and
 * sizes have no limit. Equal entries give equal bytes: no owner, and one time for all without `preserveTimes`.
 */
const BLOCK_BYTES = 512

/** 1980-01-01, the oldest time that all archive tools accept without a warning. */
const TIME = 315_532_800
const NAME_BYTES = 100
/** Largest size that fits eleven octal digits. */
const OCTAL_MOST = 0o77777777777

const types = { file: "0", directory: "5", symlink: "2" } as const

/** Names of directories end with a slash in archives. */
const nameOf = ({ path, type }: TreeEntry) => bytesOf(type === "directory" ? `${path}/` : path)

const padded = (bytes: Uint8Array) => Buffer.concat([bytes, Buffer.alloc(padding(bytes.length))])

/** Number of bytes that fill the last block of a content. */
const padding = (size: number): number => (BLOCK_BYTES - size % BLOCK_BYTES) % BLOCK_BYTES

/** Two empty blocks. */
const archiveEnd = Buffer.alloc(2 * BLOCK_BYTES)

const octal = (value: number, digits: number) => `${value.toString(8).padStart(digits, "0")}\0`

/** The time of an entry within the times of an archive. */
const secondsOf = (mtimeNs: bigint | undefined) =>
  mtimeNs === undefined ? TIME : Math.min(Math.max(Math.floor(Number(mtimeNs) / 1e9), 0), OCTAL_MOST)

const block = (fields: {
  readonly name: Uint8Array
  readonly mode: number
  readonly size: number
  readonly mtimeNs?: bigint | undefined
  readonly type: string
  readonly target: Uint8Array
}) => {
  const header = Buffer.alloc(BLOCK_BYTES)
  header.set(fields.name.subarray(0, NAME_BYTES), 0)
  header.write(octal(fields.mode, 7), 100, "latin1")
  header.write(octal(0, 7), 108, "latin1")
  header.write(octal(0, 7), 116, "latin1")
  if (fields.size <= OCTAL_MOST) header.write(octal(fields.size, 11), 124, "latin1")
  else {
    header[124] = 0x80
    header.writeBigUInt64BE(BigInt(fields.size), 128)
  }
  header.write(octal(secondsOf(fields.mtimeNs), 11), 136, "latin1")
  header.write("        ", 148, "latin1")
  header.write(fields.type, 156, "latin1")
  header.set(fields.target.subarray(0, NAME_BYTES), 157)
  header.write("ustar  \0", 257, "latin1")
  const sum = header.reduce((total, byte) => total + byte, 0)
  header.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148, "latin1")
  return header
}

const none = new Uint8Array(0)

/** The entry before a header that has a name too long for the header itself. */
const longName = (type: "K" | "L", name: Uint8Array) => {
  if (name.length <= NAME_BYTES) return []
  const content = Buffer.concat([name, Buffer.alloc(1)])
  const header = block({ name: bytesOf("././@LongLink"), mode: 0o644, size: content.length, type, target: none })
  return [header, padded(content)]
}

/** All headers before an entry's content. */
const entryHeader = (entry: TreeEntry): Buffer => {
  const name = nameOf(entry)
  const target = entry.target === undefined ? none : bytesOf(entry.target)
  const { mode, mtimeNs, size } = entry
  return Buffer.concat([
    ...longName("K", target),
    ...longName("L", name),
    block({ name, mode, size, mtimeNs, type: types[entry.type], target })
  ])
}

/** Archive size of these entries, in bytes. The root itself has no entry. */
const archiveSize = (entries: ReadonlyArray<TreeEntry>): number =>
  entries.reduce(
    (sum, entry) => entry.path === "" ? sum : sum + entryHeader(entry).length + entry.size + padding(entry.size),
    archiveEnd.length
  )
