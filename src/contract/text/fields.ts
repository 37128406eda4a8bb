import { Result, Encoding, ParseResult, Schema } from "effect"
import { byName } from "./names.ts"

/** An integer of a range, refused with the range and its unit. */
export const between = (options: {
  readonly from: number
  readonly to: number
  readonly unit: string
  readonly description: string
}) =>
  Schema.Int.pipe(
    Schema.check(Schema.isBetween({ minimum: options.from, maximum: options.to })),
    Schema.annotate({ description: `${options.description} (${options.from} to ${options.to})`, message: `must be a whole number from ${options.from} to ${options.to}${
          options.unit === "" ? "" : ` ${options.unit}`
        }` })
  )

/** A duration in whole milliseconds, whatever a clock measured. */
export const milliseconds = (what: string, more = "") => {
  const description = `${what}, in ms${more === "" ? "" : `. ${more}`}`
  return Schema.transform(Schema.Number, Schema.Number, { strict: true, decode: Math.round, encode: Math.round }).annotate({ description, jsonSchema: { type: "integer", description } })
}

/** Text without a NUL byte, so that C code can read it. */
export const text = (description: string) =>
  Schema.String.pipe(
    Schema.check(Schema.makeFilter((value) => !value.includes("\0"), { message: "must not contain a NUL byte" })),
    Schema.annotate({ description })
  )

/** A list of strings. The error names the wrong item, or says that the value is no list. */
export const list = <A extends string>(item: Schema.Codec<A, string>) =>
  Schema.Array(item).annotate({ message: "must be a list of strings" })

/** Strings by their names. The error names the wrong entry, or says that the value is no object. */
export const strings = <A extends string>(value: Schema.Codec<A, string>) =>
  byName(value).annotate({ message: "must be an object whose values are strings" })

/** A path of the host. The empty path is refused: it would mean the working directory. */
export const hostPath = (description: string) =>
  text(description).pipe(
    Schema.check(Schema.makeFilter((value) => value !== "", { message: "must not be empty" })),
    Schema.annotate({ description })
  )

const NO_BYTES = "must be bytes (a Uint8Array), or a string of base64"

/** Bytes: a `Uint8Array` between programs, base64 in JSON. */
export const bytes = (what: string, maxBytes: number) => {
  const description = `${what}: base64 in JSON and in strings`
  const encoded = Schema.Union([Schema.Uint8Array, Schema.String]).annotate({ description, jsonSchema: { type: "string", contentEncoding: "base64", description }, message: NO_BYTES })
  return Schema.transformOrFail(encoded, Schema.Uint8Array, {
    strict: true,
    decode: (given, _options, ast) => {
      const wrong = (what: string) => ParseResult.fail(new ParseResult.Type(ast, given, what))
      const decoded = typeof given === "string" ? Encoding.decodeBase64(given) : Result.succeed(given)
      if (Result.isFailure(decoded)) return wrong(NO_BYTES)
      return decoded.success.length <= maxBytes
        ? ParseResult.succeed(decoded.success)
        : wrong(`must be at most ${maxBytes} bytes`)
    },
    encode: ParseResult.succeed
  })
}

/** An optional field: absent, and never `undefined`, if it is not given. */
export const optional = <S extends Schema.Top>(schema: S) => Schema.optionalKey(schema)

/** An optional field with the default `fallback()`. */
export const defaulted = <A, I>(schema: Schema.Codec<A, I>, fallback: () => NoInfer<A>) =>
  Schema.optionalWith(schema, { exact: true, default: fallback })

/** Permission to copy from a directory that is rarely intended. */
export const allowHome = () =>
  defaulted(
    Schema.Boolean.annotate({
      description: "Allow a home directory, a directory that contains one, or / as the source"
    }),
    () => false
  )

/** Globs that name ignored files beneath a directory. */
export const ignoredGlobs = (description: string) =>
  list(
    text("").pipe(Schema.check(Schema.makeFilter((glob) => !/^[./]*$|(^|\/)\.\.(\/|$)/.test(glob), { message: "must be a glob beneath the directory, such as build or 'dist/*.js', and not empty" })))
  ).annotate({ description })

/** Ignored files that are copied with a repository. */
export const ignoredPaths = () =>
  defaulted(
    ignoredGlobs("Ignored files to copy as well: globs as in .gitignore, relative to the directory"),
    () => []
  )
