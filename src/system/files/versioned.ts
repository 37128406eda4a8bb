import { Data, Effect, Option, Result, Schema } from "effect"
import { damageOf, readJson } from "./atomic-file.ts"
import { FileFailed } from "./failure.ts"

/** A JSON object as an older program wrote it; no Schema has looked at its fields. */
export type Older = Readonly<Record<string, unknown>>

/** Turns a stored value of each older format into one of the next: the first function takes format 1 to format 2. */
export type Upgrades<Stored = Older> = ReadonlyArray<(older: Stored) => unknown>

/** How a value is stored. */
export interface Formats<A, I, Stored> {
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

/** Decodes a value of `format`; an older one is upgraded first. Fails with FileFailed when the value, which `path` has, is damaged. */
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

/** Reads a JSON object that carries its format in `format`; none when there is no such file. */
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
