import { Effect, Option, Schema, SchemaGetter } from "effect"
import { byName } from "./names.ts"

export const string = (description: string) => Schema.String.annotate({ description })

export const integer = (description: string) => Schema.Int.annotate({ description })

export const number = (description: string) => Schema.Number.annotate({ description })

export const boolean = (description: string) => Schema.Boolean.annotate({ description })

/** A boolean that is false if it is not given. */
export const flag = (description: string) => defaulted(boolean(description), () => false)

export const described = <S extends Schema.Top>(description: string) => (self: S): S["Rebuild"] =>
  self.annotate({ description })

/** A check whose refusal is `message`. */
export const must =
  <S extends Schema.Top>(isRight: (value: S["Type"]) => boolean, message: string) => (self: S): S["Rebuild"] =>
    self.check(Schema.makeFilter(isRight, { message }))

/** A check of a text against a pattern. */
export const matching =
  <S extends Schema.Top & { readonly Type: string }>(pattern: RegExp, message: string) => (self: S): S["Rebuild"] =>
    self.check(Schema.isPattern(pattern, { message }))

/** An integer of a range, refused with the range and its unit. */
export const between = ({ description, from, to, unit = "" }: {
  readonly from: number
  readonly to: number
  readonly unit?: string
  readonly description: string
}) => {
  const message = `must be a whole number from ${from} to ${to}${unit === "" ? "" : ` ${unit}`}`
  return Schema.Number.annotate({ message }).check(
    Schema.isInt({ message }),
    Schema.isBetween({ minimum: from, maximum: to }, { message })
  ).annotate({ description: `${description} (${from} to ${to})` })
}

/** A duration, rounded to whole milliseconds. */
export const milliseconds = (what: string, more = "") =>
  Schema.Int.annotate({ description: `${what}, in ms${more === "" ? "" : `. ${more}`}` }).pipe(
    Schema.decodeTo(Schema.Number, {
      decode: SchemaGetter.transform((value: number) => value),
      encode: SchemaGetter.transform(Math.round)
    })
  )

/** Text without a NUL byte, so that C code can read it. */
export const text = (description: string) =>
  Schema.String.pipe(
    must((value) => !value.includes("\0"), "must not contain a NUL byte"),
    described(description)
  )

/** Bounds of a list. */
interface ListBounds {
  /** Maximum number of items. @default 1000 */
  readonly items?: number
  /** Maximum characters of one item. @default 4096 */
  readonly characters?: number
}

/** A list of strings. The error names the wrong item, or says that the value is no list, or a list that is too long. */
export const list = <A extends string>(
  item: Schema.Codec<A, string>,
  { characters = 4096, items = 1000 }: ListBounds = {}
) =>
  Schema.Array(item.pipe(
    Schema.check(
      Schema.makeFilter((value: A) => value.length <= characters || `must have at most ${characters} characters`)
    )
  )).annotate({ message: "must be a list of strings" }).pipe(
    Schema.check(Schema.makeFilter((all) => all.length <= items || `must have at most ${items} items`))
  )

/** Bounds of a command's words: a request of a guest has at most 1 MiB. */
export const wordBounds: ListBounds = { items: 100_000, characters: 1_048_576 }

/** Strings by their names. The error names the wrong entry, or says that the value is no object. */
export const strings = <A extends string>(value: Schema.Codec<A, string>) =>
  byName(value).annotate({ message: "must be an object whose values are strings" })

/** A path of the host. The empty path is refused: it would mean the working directory. */
export const hostPath = (description: string) =>
  text(description).pipe(
    must((value) => value !== "", "must not be empty"),
    described(description)
  )

const NO_BYTES = "must be bytes (a Uint8Array), or a string of base64"

/** Bytes: a `Uint8Array` between programs, base64 in JSON. */
export const bytes = (what: string, maxBytes: number) => {
  const description = `${what}: base64 in JSON and in strings`
  return Schema.Union([
    Schema.Uint8Array.annotate({ message: NO_BYTES }),
    Schema.String.annotate({ message: NO_BYTES })
  ]).annotate({ description }).pipe(
    // Judged before it is decoded: an error then has the field's name in JSON.
    Schema.check(Schema.makeFilter((given) => {
      const length = bytesOf(given)?.length
      return length === undefined ? NO_BYTES : length <= maxBytes || `must be at most ${maxBytes} bytes`
    }, { description })),
    Schema.decodeTo(Schema.Uint8Array, {
      decode: SchemaGetter.transform((given) => bytesOf(given)!),
      encode: SchemaGetter.transform((all): Uint8Array | string => all)
    })
  )
}

const bytesOf = (given: Uint8Array | string): Uint8Array | undefined =>
  typeof given === "string" ? fromBase64(given) : given

const fromBase64 = (given: string) =>
  Option.getOrUndefined(Schema.decodeUnknownOption(Schema.Uint8ArrayFromBase64)(given))

/** An optional field: absent, and never `undefined`, if it is not given. */
export const optional = <S extends Schema.Constraint>(schema: S): Schema.optionalKey<S> => Schema.optionalKey(schema)

/** An optional field with the default `fallback()`. */
export const defaulted = <S extends Schema.Constraint>(
  schema: S,
  fallback: () => NoInfer<S["Type"]>
): Schema.withDecodingDefaultTypeKey<S> => Schema.withDecodingDefaultTypeKey<S>(Effect.sync(fallback))(schema)

/** Permission to copy from a directory that is rarely intended. */
export const allowHome = () =>
  defaulted(
    Schema.Boolean.annotate({
      description: "Allow a home directory, a directory that contains one, or / as the source"
    }),
    () => false
  )

/** Globs that name ignored files beneath a directory. One process of git gets all of them as its arguments. */
export const ignoredGlobs = (description: string) =>
  list(
    text("").pipe(must(
      (glob) => !/^[./]*$|(^|\/)\.\.(\/|$)/.test(glob),
      "must be a glob beneath the directory, such as build or 'dist/*.js', and not empty"
    )),
    { items: 256, characters: 1024 }
  ).annotate({ description })

/** Ignored files that are copied with a repository. */
export const ignoredPaths = () =>
  defaulted(
    ignoredGlobs("Ignored files to copy as well: globs as in .gitignore, relative to the directory"),
    () => []
  )
