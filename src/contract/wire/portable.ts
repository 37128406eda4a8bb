import { Layer, Schema, SchemaGetter, SchemaParser } from "effect"
import * as RpcSerialization from "effect/rpc/RpcSerialization"
import { BulkDecoder, encodeBulk } from "./bulk-frames.ts"
import { bulkCodec, isBulk } from "./bulk.ts"
import { isPayload } from "./forms.ts"
import { attached, detached, MESSAGE_BYTES, UnreadableMessage } from "./serialization.ts"

const text = new TextEncoder()
const utf8 = new TextDecoder("utf-8", { fatal: true })

const Id = Schema.Union([Schema.String, Schema.Number])
const optionalKey = Schema.optionalKey

/** The library's messages, with what a row's Schema describes as unknown. */
const Message = Schema.Union([
  Schema.TaggedStruct("Request", {
    id: Id,
    tag: Schema.String,
    payload: optionalKey(Schema.Unknown),
    headers: Schema.Array(Schema.Tuple([Schema.String, Schema.String])),
    isNotification: optionalKey(Schema.Literal(true)),
    discard: optionalKey(Schema.Literal(true)),
    traceId: optionalKey(Schema.String),
    spanId: optionalKey(Schema.String),
    sampled: optionalKey(Schema.Boolean)
  }),
  Schema.TaggedStruct("Ack", { requestId: Id }),
  Schema.TaggedStruct("Interrupt", { requestId: Id }),
  Schema.TaggedStruct("Ping", {}),
  Schema.TaggedStruct("Pong", {}),
  Schema.TaggedStruct("Eof", {}),
  Schema.TaggedStruct("Chunk", { requestId: Id, values: Schema.Unknown }),
  Schema.TaggedStruct("Exit", { requestId: Id, exit: Schema.Unknown }),
  Schema.TaggedStruct("Defect", { defect: Schema.Unknown })
])

const envelope = Schema.decodeUnknownSync(Message)

/**
 * Refuses fields of a payload that this build does not know: an older daemon must not do the work without a limit that a newer client asks for.
 */
const strict = (codec: Schema.Codec<unknown, unknown>): Schema.Codec<unknown, unknown> => {
  const encode = SchemaParser.encodeUnknownEffect(codec)
  const decode = SchemaParser.decodeUnknownEffect(codec)
  return Schema.Unknown.pipe(
    Schema.decodeTo(Schema.Unknown, {
      decode: SchemaGetter.transformEffect((json, options) => decode(json, { ...options, onExcessProperty: "error" })),
      encode: SchemaGetter.transformEffect(encode)
    })
  )
}

const codecFor = (schema: Schema.Top) => {
  const json = Schema.toCodecJson(schema as Schema.Codec<unknown, unknown>) as unknown as Schema.Codec<unknown, unknown>
  const codec = isPayload(schema) ? strict(json) : json
  return isBulk(schema) ? bulkCodec(codec) : codec
}

/** One message: JSON, with the bytes of a `Detached` beside it. Each is a frame of its own. */
const encodeOne = (message: unknown) => {
  const { pieces = [], rest } = detached(message)
  return encodeBulk({ message: text.encode(JSON.stringify(rest)), pieces })
}

const decodeOne = (bytes: Uint8Array, pieces: ReadonlyArray<Uint8Array>) => {
  const message = envelope(JSON.parse(utf8.decode(bytes)))
  return pieces.length === 0 ? message : attached(message, pieces)
}

/**
 * The form of requests and answers between machines: JSON, which says its names, so that a build of another version reads it. An unknown field of
 * an answer is passed over; an unknown field of a payload is refused. After an unreadable message, later bytes are dropped, and `unreadable` is
 * called once.
 */
export const layerPortable = (
  unreadable: (message: UnreadableMessage) => void = () => {}
): Layer.Layer<RpcSerialization.RpcSerialization> =>
  Layer.succeed(RpcSerialization.RpcSerialization)(RpcSerialization.RpcSerialization.of({
    contentType: "application/vnd.pyro.portable",
    includesFraming: true,
    codecFor: codecFor as unknown as RpcSerialization.CodecFor,
    makeUnsafe: () => {
      let isLost = false
      let messages: Array<unknown> = []
      const decoder = new BulkDecoder(MESSAGE_BYTES, {
        library: () => {
          throw new Error("it does not begin as one does")
        },
        bulk: ({ message, pieces }) => messages.push(decodeOne(message, pieces))
      })
      return {
        encode: (message) =>
          Array.isArray(message)
            ? message.length === 0 ? undefined : Buffer.concat(message.map(encodeOne))
            : encodeOne(message),
        decode: (bytes) => {
          if (isLost) return []
          try {
            messages = []
            decoder.push(typeof bytes === "string" ? text.encode(bytes) : bytes)
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
  }))
