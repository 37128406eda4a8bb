import { Data, Effect, Option, Result, Schema } from "effect"
import { randomBytes } from "node:crypto"
import * as fs from "node:fs"
import { dirname } from "node:path"
import { firstIssue } from "../../contract/errors/issue.ts"
import { readText } from "./content.ts"
import { attempt, attemptAsync, FileFailed, isMissing } from "./failure.ts"

interface WriteOptions {
  readonly mode?: number
  /** Waits until the content is on disk (fdatasync) before the rename. */
  readonly durable?: boolean
}

/** Throws Node's errors. */
const writeFileAtomicSync = (path: string, content: string | Uint8Array, options: WriteOptions = {}) => {
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

/** Writes a file under a temporary name and renames it: a reader sees the old content or the new one. */
export const writeFileAtomic = (
  path: string,
  content: string | Uint8Array,
  options: WriteOptions = {}
): Effect.Effect<void, FileFailed> => attempt("write", path, () => writeFileAtomicSync(path, content, options))

/** A value or a file's content does not fit its Schema. */
const damaged = (operation: "encode" | "decode", path: string) => (cause: Schema.SchemaError) =>
  new FileFailed({ operation, path, detail: damageOf(cause), cause })

/** Encodes a value by its Schema and writes it as JSON. */
export const writeJsonAtomic = <A, I>(
  path: string,
  schema: Schema.Codec<A, I>,
  value: A,
  options: WriteOptions = {}
) =>
  Schema.encodeEffect(schema)(value).pipe(
    Effect.mapError(damaged("encode", path)),
    Effect.flatMap((encoded) => writeFileAtomic(path, JSON.stringify(encoded) + "\n", options))
  )

/** Flushes a file and its name to the disk, in the thread pool. */
export const syncFile = (path: string): Effect.Effect<void, FileFailed> =>
  Effect.andThen(syncContent(path), syncContent(dirname(path)))

/** Flushes the content of a file, or the names in a folder, to the disk, in the thread pool. */
export const syncContent = (path: string): Effect.Effect<void, FileFailed> =>
  attemptAsync("fdatasync", path, async () => {
    const file = await fs.promises.open(path, "r")
    await file.datasync().finally(() => file.close())
  })

interface Recalled {
  readonly identity: string
  readonly value: unknown
}
const recalled = new Map<string, Recalled>()

/** Version of a file that is replaced as a whole: the next one of that name has another inode or time. Undefined: there is no file. */
export const versionOf = (path: string) => {
  try {
    const stat = fs.statSync(path, { bigint: true })
    return `${stat.dev}:${stat.ino}:${stat.size}:${stat.mtimeNs}`
  } catch {
    return undefined
  }
}

/** The result of `make` for a file, computed once for each version of the file. For few files, with one `make` for each. */
export const recall = <A, E>(path: string, make: Effect.Effect<A, E>): Effect.Effect<A, E> =>
  Effect.suspend(() => {
    const identity = versionOf(path)
    const known = recalled.get(path)
    if (identity !== undefined && known?.identity === identity) return Effect.succeed(known.value as A)
    return Effect.map(make, (value) => {
      // The result may be of either version.
      if (identity !== undefined && versionOf(path) === identity) recalled.set(path, { identity, value })
      else recalled.delete(path)
      return value
    })
  })

/** Reads a file of `writeJsonAtomic`. None if there is no file; FileFailed if it does not fit the Schema. */
export const readJson = <A, I>(
  path: string,
  schema: Schema.Codec<A, I>
): Effect.Effect<Option.Option<A>, FileFailed> =>
  readText(path).pipe(
    Effect.flatMap((text) =>
      Effect.try({
        try: () => JSON.parse(text) as unknown,
        catch: (cause) =>
          new FileFailed({ operation: "decode", path, detail: damage([(cause as Error).message]), cause })
      })
    ),
    Effect.flatMap((json) =>
      Effect.mapError(Schema.decodeUnknownEffect(schema, { reportInput: true })(json), damaged("decode", path))
    ),
    Effect.asSome,
    Effect.catchIf(isMissing, () => Effect.succeedNone)
  )

/** The first mismatch between a value and its Schema. */
const damageOf = (error: Schema.SchemaError) => {
  const { message, path } = firstIssue(error)
  return damage([...path.map(String), message.split("\n", 1)[0]!])
}

const damage = (words: ReadonlyArray<string>) => `it is damaged (${words.join(": ").slice(0, 200)})`

/** A JSON object of an older program, not checked by a Schema. */
type Older = Readonly<Record<string, unknown>>

/** Converts a stored value of each older format into the next: the first function converts format 1 to format 2. */
export type Upgrades<Stored = Older> = ReadonlyArray<(older: Stored) => unknown>

/** How a value is stored. */
interface Formats<A, I, Stored> {
  /** The newest format, which this program writes. */
  readonly schema: Schema.Codec<A, I>
  readonly upgrades: Upgrades<Stored>
}

/** A newer program wrote the value. */
export class FormatTooNew extends Data.TaggedError("FormatTooNew")<{
  readonly format: number
  /** Newest format that this program reads. */
  readonly newest: number
}> {}

/** The format that this program writes. */
export const newestOf = (upgrades: Upgrades<never>): number => upgrades.length + 1

export const isObject = (value: unknown): value is Older =>
  typeof value === "object" && value !== null && !Array.isArray(value)

const isFormat = (format: unknown): format is number => Number.isInteger(format) && (format as number) >= 1

/** Decodes a value of `format`, after an upgrade of an older one. Fails with FileFailed if the value in `path` is damaged. */
export const decodeVersioned = <A, I, Stored>(
  path: string,
  { format, value }: { readonly format: unknown; readonly value: Stored },
  { schema, upgrades }: Formats<A, I, Stored>
): Result.Result<A, FileFailed | FormatTooNew> => {
  const newest = newestOf(upgrades)
  if (isFormat(format) && format > newest) return Result.fail(new FormatTooNew({ format, newest }))
  const upgraded = Result.try({
    try: () =>
      (isFormat(format) ? upgrades.slice(format - 1) : []).reduce<unknown>(
        (older, upgrade) => upgrade(older as Stored),
        value
      ),
    catch: (cause) => new FileFailed({ operation: "decode", path, detail: "it is damaged", cause })
  })
  return Result.flatMap(
    upgraded,
    (now) =>
      Result.mapError(
        Schema.decodeUnknownResult(schema, { reportInput: true })(now),
        (cause: Schema.SchemaError) => new FileFailed({ operation: "decode", path, detail: damageOf(cause), cause })
      )
  )
}

/** Reads a JSON object with its format in `format`. None if there is no such file. */
export const readVersioned = <A, I>(
  path: string,
  formats: Formats<A, I, Older>
): Effect.Effect<Option.Option<A>, FileFailed | FormatTooNew> =>
  Effect.flatMap(
    readJson(path, Schema.Unknown),
    Option.match({
      onNone: () => Effect.succeedNone,
      onSome: (found) => {
        const format = isObject(found) ? found["format"] : undefined
        return Effect.asSome(Effect.fromResult(decodeVersioned(path, { format, value: found as Older }, formats)))
      }
    })
  )
