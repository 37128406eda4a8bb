import { Effect, Schema, type SchemaAST, SchemaGetter, SchemaIssue, SchemaParser } from "effect"

/** Has no prototype of its own: `value["constructor"]` and `value["__proto__"]` are undefined unless an entry has that name. */
class Named {}
Object.setPrototypeOf(Named.prototype, null)
delete (Named.prototype as { constructor?: unknown }).constructor
type Inspect = (value: unknown, options: unknown) => string
/** Node prints the object as a plain one. */
Object.defineProperty(Named.prototype, Symbol.for("nodejs.util.inspect.custom"), {
  value(this: object, _depth: number, options: unknown, inspect?: Inspect) {
    // Only Node passes a function.
    return inspect === undefined ? JSON.stringify({ ...this }) : inspect({ ...this }, options)
  }
})

/**
 * An object whose keys are names that someone else chose: file names, variables, labels, JSON keys. A plain object would take
 * `__proto__` for its prototype and would find `constructor` where no entry is.
 */
export const named = <A>(entries: Iterable<readonly [name: string, value: A]>): Record<string, A> => {
  const object = new Named() as Record<string, A>
  for (const [name, value] of entries) object[name] = value
  return object
}

/** A table of pyro with lookups by names that someone else chose. */
export const table = <A>(entries: Readonly<Record<string, A>>): Readonly<Record<string, A | undefined>> =>
  named(Object.entries(entries))

/** The class of `named` objects, for code that compares classes. */
export const NamedClass: Function = Named

/** The library writes a Schema with this mark as JSON text. */
const AS_JSON = { id: "effect/schema/Json", payload: null }

/** Whether a Schema, or its TypeScript side, is `byName`. */
export const isByName = ({ annotations }: SchemaAST.AST): boolean => annotations?.["representation"] === AS_JSON

/** Strings to values, as JSON has objects; unlike `Schema.Record` it keeps every name. */
export const byName = <A, I>(
  value: Schema.Codec<A, I>
): Schema.declareConstructor<Readonly<Record<string, A>>, Readonly<Record<string, I>>, readonly [Schema.Codec<A, I>]> =>
  Schema.declareConstructor<Readonly<Record<string, A>>, Readonly<Record<string, I>>>()(
    [value],
    ([item]) => (input, ast, options) => {
      if (typeof input !== "object" || input === null || Array.isArray(input)) {
        return Effect.fail(new SchemaIssue.InvalidType(ast, input, options))
      }
      const convert = SchemaParser.decodeUnknownEffect(item)
      return Effect.map(
        Effect.forEach(Object.entries(input), ([name, one]) =>
          convert(one, options).pipe(
            Effect.map((converted) => [name, converted] as const),
            Effect.mapError((issue) =>
              new SchemaIssue.Composite(ast, [new SchemaIssue.Pointer([name], issue)], input, options)
            )
          )),
        named
      )
    },
    {
      expected: "an object",
      // The wire has it as JSON text: as a struct, the library would sort the names.
      representation: AS_JSON,
      toCodecJson: ([item]) =>
        // Effect's Record keeps `__proto__` as an own key, and `named` takes it from there.
        // eslint-disable-next-line no-restricted-syntax
        Schema.link<Readonly<Record<string, I>>>()(Schema.Record(Schema.String, item), {
          decode: SchemaGetter.transform((record) => named(Object.entries(record))),
          encode: SchemaGetter.passthrough()
        })
    }
  )
