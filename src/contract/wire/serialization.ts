import { Effect, Layer, Predicate, type Schema } from "effect"
import * as RpcSerialization from "effect/rpc/RpcSerialization"
import { BulkDecoder, encodeBulk } from "./bulk-frames.ts"
import { bulkCodec, Detached, isBulk } from "./bulk.ts"

/** Maximum bytes of a message. */
export const MESSAGE_BYTES = 16 * 1024 * 1024

/** A message of the other side that cannot be read. */
export class UnreadableMessage extends Error {
  override readonly name = "UnreadableMessage"
  constructor(cause: unknown) {
    super(`a message cannot be read: ${Predicate.isError(cause) ? cause.message : String(cause)}`, { cause })
  }
}

/** A message that may have detached bytes, by the library's names. */
interface Envelope {
  readonly _tag?: unknown
  readonly payload?: unknown
  readonly values?: unknown
}

/** The field of a message that its sender's codec has encoded. */
const fieldOf = ({ _tag }: Envelope) => _tag === "Chunk" ? "values" : _tag === "Request" ? "payload" : undefined

/** The message whose bytes came beside it. */
export const attached = (message: unknown, pieces: ReadonlyArray<Uint8Array>) => {
  const field = fieldOf(message as Envelope)
  if (field === undefined) throw new Error("bytes beside a message that has none")
  return { ...message as Envelope, [field]: new Detached((message as Envelope)[field], pieces) }
}

/** The message without the bytes that travel beside it, if it has such. */
export const detached = (message: unknown) => {
  const field = fieldOf(message as Envelope)
  const value = field && (message as Envelope)[field]
  return value instanceof Detached
    ? { rest: { ...message as Envelope, [field!]: value.encoded }, pieces: value.pieces }
    : { rest: message }
}

type Encode = ReturnType<RpcSerialization.RpcSerialization["Service"]["makeUnsafe"]>["encode"]

/** The library's encoding, and that of messages with detached bytes. */
const encodeWith = (encode: Encode): Encode => {
  const one = (message: unknown) => {
    const { pieces, rest } = detached(message)
    const encoded = encode(rest)
    return pieces === undefined ? encoded : encodeBulk({ message: encoded as Uint8Array, pieces })
  }
  const isDetached = (message: unknown) => {
    const field = fieldOf(message as Envelope)
    return field !== undefined && (message as Envelope)[field] instanceof Detached
  }
  return (messages) =>
    Array.isArray(messages) && messages.some(isDetached)
      ? Buffer.concat(messages.map((message) => one(message) as Uint8Array))
      : Array.isArray(messages)
      ? encode(messages)
      : one(messages)
}

/**
 * The form of requests and answers on a connection: the binary form that the library derives from the Schemas of the rows, with the
 * fingerprint of each Schema, so that another build's message is refused and never misread. After an unreadable message, the bounds of
 * messages are unknown: later bytes are dropped, and `unreadable` is called once.
 */
export const layerSerialization = (
  unreadable: (message: UnreadableMessage) => void = () => {}
): Layer.Layer<RpcSerialization.RpcSerialization> =>
  Layer.effect(
    RpcSerialization.RpcSerialization,
    Effect.map(RpcSerialization.RpcSerialization, (library) =>
      ({
        ...library,
        codecFor: (schema: Schema.Top) => {
          const codec = library.codecFor(schema)
          return isBulk(schema) ? bulkCodec(codec as Schema.Codec<unknown, unknown>) : codec
        },
        makeUnsafe: () => {
          const parser = library.makeUnsafe()
          let isLost = false
          let messages: Array<unknown> = []
          const decoder = new BulkDecoder(MESSAGE_BYTES, {
            library: (bytes) => messages.push(...parser.decode(bytes)),
            bulk: ({ message, pieces }) => messages.push(...parser.decode(message).map((one) => attached(one, pieces)))
          })
          return {
            encode: encodeWith(parser.encode),
            decode: (bytes: Uint8Array | string) => {
              if (isLost) return []
              try {
                messages = []
                decoder.push(typeof bytes === "string" ? Buffer.from(bytes) : bytes)
                return messages
              } catch (cause) {
                isLost = true
                const message = new UnreadableMessage(cause)
                unreadable(message)
                throw message
              }
            }
          }
        }
      }) as RpcSerialization.RpcSerialization["Service"])
  ).pipe(Layer.provide(RpcSerialization.layerSchemaBinary({ maxFrameSize: MESSAGE_BYTES, fingerprintPayloads: true })))
