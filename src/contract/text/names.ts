import { Result, ParseResult, Schema, SchemaIssue } from "effect"

/** Has no prototype of its own: `value["constructor"]` and `value["__proto__"]` are undefined unless an entry has that name. */
class Named {}
Object.setPrototypeOf(Named.prototype, null)
delete (Named.prototype as { constructor?: unknown }).constructor
type Inspect = (value: unknown, options: unknown) => string
/** Node prints the object as a plain one. */
Object.defineProperty(Named.prototype, Symbol.for("nodejs.util.inspect.custom"), {
  value(this: object, _depth: number, options: unknown, inspect?: Inspect) {
    // Other printers than Node's bring no function.
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

/** A table of pyro's own that is asked by names that someone else chose. */
export const table = <A>(entries: Readonly<Record<string, A>>): Readonly<Record<string, A | undefined>> =>
  named(Object.entries(entries))

/** The class of `named` objects, for what tells objects apart by their class. */
export const NamedClass: Function = Named

/** Strings to values, as JSON has objects; unlike `Schema.Record` it keeps every name. */
export const byName = <A, I>(
  value: Schema.Codec<A, I>
): Schema.Codec<Readonly<Record<string, A>>, Readonly<Record<string, I>>> =>
  Schema.declare([value], {
    decode: (value) => eachValue(ParseResult.decodeUnknownEither(value)),
    encode: (value) => eachValue(ParseResult.encodeUnknownEither(value))
  }, {
    description: "an object",
    jsonSchema: { type: "object", additionalProperties: { type: "string" } },
    arbitrary: (value) => (fc) => fc.array(fc.tuple(fc.string(), value(fc))).map(named)
  }) as unknown as Schema.Codec<Readonly<Record<string, A>>, Readonly<Record<string, I>>>

type Convert = (value: unknown, options?: object) => Result.Result<unknown, SchemaIssue.Issue>

const eachValue = (convert: Convert) => (input: unknown, options: object, ast: Schema.Top["ast"]) => {
  if (typeof input !== "object" || input === null || Array.isArray(input)) {
    return ParseResult.fail(new ParseResult.Type(ast, input))
  }
  const converted: Array<readonly [string, unknown]> = []
  for (const [name, value] of Object.entries(input)) {
    const result = convert(value, options)
    if (Result.isFailure(result)) {
      return ParseResult.fail(
        new ParseResult.Composite(ast, input, new ParseResult.Pointer(name, value, result.failure))
      )
    }
    converted.push([name, result.success])
  }
  return ParseResult.succeed(named(converted))
}
