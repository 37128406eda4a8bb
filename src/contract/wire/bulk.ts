import { Effect, Schema, SchemaGetter, SchemaIssue, SchemaParser } from "effect"

/**
 * A value whose bytes travel beside the library's encoding. The library copies bytes into buffers that double, once for the value and once for
 * the message: eight times the memory of the bytes, and a full garbage collection for each 8 MiB.
 */
export class Detached {
  readonly encoded: unknown
  /** The `bytes` of the value's parts, in their order. */
  readonly pieces: ReadonlyArray<Uint8Array>
  constructor(encoded: unknown, pieces: ReadonlyArray<Uint8Array>) {
    this.encoded = encoded
    this.pieces = pieces
  }
}

/** Fewer bytes are part of the message. */
const DETACHED_BYTES = 4_096
const NONE = new Uint8Array(0)

interface Part {
  readonly bytes?: unknown
}
const bytesOf = ({ bytes }: Part) => bytes instanceof Uint8Array ? bytes : undefined

/** The bytes of the parts. Undefined if they are few, or some are empty: an empty place is that of detached bytes. */
const detachable = (parts: ReadonlyArray<Part>) => {
  const pieces = parts.flatMap((part) => bytesOf(part) ?? [])
  const size = pieces.reduce((sum, { length }) => sum + length, 0)
  return size >= DETACHED_BYTES && pieces.every(({ length }) => length > 0) ? pieces : undefined
}

const withBytes = (part: Part, next: () => Uint8Array) =>
  bytesOf(part) === undefined ? part : { ...part, bytes: next() }

const bulkSchemas = new WeakSet<object>()

/** Marks a Schema: the bytes of its values are many. */
export const bulk = <S extends object>(schema: S): S => {
  bulkSchemas.add(schema)
  return schema
}

/** Whether a Schema is marked, or is that of a list of a marked one. */
export const isBulk = (schema: object) =>
  bulkSchemas.has(schema) || ("value" in schema && bulkSchemas.has(schema.value as object))

/** A codec of values, or of lists of values, that have `bytes`. */
export const bulkCodec = <A>(codec: Schema.Codec<A, unknown>): Schema.Codec<A, unknown> => {
  const encode = Schema.encodeUnknownSync(codec)
  const decode = SchemaParser.decodeUnknownEffect(codec as Schema.Codec<unknown, unknown>)
  const each = (value: unknown, f: (part: Part) => Part) => Array.isArray(value) ? value.map(f) : f(value as Part)
  const encoded = (value: unknown) => {
    const pieces = detachable(Array.isArray(value) ? value : [value])
    if (pieces === undefined) return encode(value)
    return new Detached(encode(each(value, (part) => withBytes(part, () => NONE))), pieces)
  }
  const attach = (value: unknown, pieces: ReadonlyArray<Uint8Array>) => {
    const left = [...pieces]
    const whole = each(value, (part) => withBytes(part, () => left.shift() ?? NONE))
    return left.length === 0
      ? Effect.succeed(whole)
      : Effect.fail(new SchemaIssue.InvalidValue({ expected: `${left.length} pieces fewer` }, undefined, {}))
  }
  return Schema.Unknown.pipe(
    Schema.decodeTo(Schema.Unknown, {
      decode: SchemaGetter.transformEffect((wire, options) =>
        wire instanceof Detached
          ? Effect.flatMap(decode(wire.encoded, options), (value) => attach(value, wire.pieces))
          : decode(wire, options)
      ),
      encode: SchemaGetter.transform(encoded)
    })
  ) as unknown as Schema.Codec<A, unknown>
}
