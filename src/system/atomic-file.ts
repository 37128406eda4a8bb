import { Data, Effect, Option, ParseResult, Schema } from "effect"
import { randomBytes } from "node:crypto"
import * as fs from "node:fs"
import { dirname } from "node:path"

/** A file of pyro's own could not be written or read. */
export class FileFailed extends Data.TaggedError("FileFailed")<{
  readonly path: string
  readonly detail: string
  readonly cause?: unknown
}> {
  override get message() {
    return `${this.path}: ${this.detail}`
  }
}

export interface WriteOptions {
  readonly mode?: number
  /** Waits until the content is on disk (fdatasync) before it takes the name. */
  readonly durable?: boolean
}

/** Writes a whole file under a temporary name and renames it: a reader sees the old content or the new, never a half. */
export const writeFileAtomicSync = (path: string, content: string | Uint8Array, options: WriteOptions = {}) => {
  const temporary = `${path}.${process.pid}.${randomBytes(4).toString("hex")}.tmp`
  try {
    const fd = fs.openSync(temporary, "wx", options.mode ?? 0o600)
    try {
      fs.writeFileSync(fd, content)
      if (options.durable === true) fs.fdatasyncSync(fd)
    } finally {
      fs.closeSync(fd)
    }
    fs.renameSync(temporary, path)
  } catch (cause) {
    fs.rmSync(temporary, { force: true })
    throw cause
  }
}

const failed = (path: string) => (cause: unknown) =>
  new FileFailed({ path, detail: cause instanceof Error ? cause.message : String(cause), cause })

/** Effect form of `writeFileAtomicSync`. */
export const writeFileAtomic = (path: string, content: string | Uint8Array, options: WriteOptions = {}) =>
  Effect.try({ try: () => writeFileAtomicSync(path, content, options), catch: failed(path) })

/** Encodes a value by its Schema and writes it as JSON. */
export const writeJsonAtomic = <A, I>(
  path: string,
  schema: Schema.Schema<A, I>,
  value: A,
  options: WriteOptions = {}
) =>
  Schema.encode(schema)(value).pipe(
    Effect.mapError(failed(path)),
    Effect.flatMap((encoded) => writeFileAtomic(path, JSON.stringify(encoded) + "\n", options))
  )

/** Has the disk keep a file and its name, without holding up this process. */
export const syncFile = (path: string): Effect.Effect<void, FileFailed> =>
  Effect.tryPromise({
    try: async () => {
      for (const one of [path, dirname(path)]) {
        const file = await fs.promises.open(one, "r")
        await file.datasync().finally(() => file.close())
      }
    },
    catch: failed(path)
  })

interface Recalled {
  readonly identity: string
  readonly value: unknown
}
const recalled = new Map<string, Recalled>()

/** A file that is replaced as a whole: the next one of that name has another inode, or at least another time. */
const identityOf = (path: string) => {
  const stat = fs.statSync(path, { bigint: true, throwIfNoEntry: false })
  return stat && `${stat.dev}:${stat.ino}:${stat.size}:${stat.mtimeNs}`
}

/** What `make` says of a file, made once for as long as the very same file is there. For few files, each asked about in one way. */
export const recall = <A, E>(path: string, make: Effect.Effect<A, E>): Effect.Effect<A, E> =>
  Effect.suspend(() => {
    const identity = identityOf(path)
    const known = recalled.get(path)
    if (identity !== undefined && known?.identity === identity) return Effect.succeed(known.value as A)
    return Effect.tap(make, (value) => {
      // One that was replaced meanwhile may be either.
      if (identity !== undefined && identityOf(path) === identity) recalled.set(path, { identity, value })
      else recalled.delete(path)
    })
  })

/** Reads what `writeJsonAtomic` wrote; none when there is no such file, FileFailed when it is not what the Schema says. */
export const readJson = <A, I>(
  path: string,
  schema: Schema.Schema<A, I>
): Effect.Effect<Option.Option<A>, FileFailed> =>
  Effect.suspend(() => {
    let text: string
    try {
      text = fs.readFileSync(path, "utf8")
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code === "ENOENT") return Effect.succeed(Option.none())
      return Effect.fail(failed(path)(cause))
    }
    return Schema.decode(Schema.parseJson(schema))(text).pipe(
      Effect.map(Option.some),
      Effect.mapError((cause) => new FileFailed({ path, detail: damageOf(cause), cause }))
    )
  })

/** The first thing that is not as its Schema wants it. */
export const damageOf = (error: ParseResult.ParseError) => {
  const [{ message, path } = { message: "", path: [] }] = ParseResult.ArrayFormatter.formatErrorSync(error)
  const [line = ""] = message.split("\n", 1)
  return `it is damaged (${[...path.map(String), line].join(": ").slice(0, 200)})`
}
