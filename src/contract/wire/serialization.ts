import { Layer, Schema } from "effect"
import * as RpcSerialization from "effect/rpc/RpcSerialization"
import { addExtension, Packr, Unpackr } from "msgpackr"
import { named, NamedClass } from "../text/names.ts"

/**
 * Names that someone else chose cross as pairs: msgpackr gives an object's key `__proto__` another name. The number is this class's own
 * (0x4e, 'N') among those that MessagePack leaves to programs.
 */
addExtension({
  Class: NamedClass,
  type: 0x4e,
  write: (value: Readonly<Record<string, unknown>>) => Object.entries(value),
  read: (entries: ReadonlyArray<readonly [string, unknown]>) => named(entries)
})

/** Most bytes of a message whose end has not arrived. */
const MESSAGE_BYTES = 16 * 1024 * 1024

/** Objects are maps. As records, msgpackr's default, each message would bring its own definitions, which takes longer for a few small ones. */
const OPTIONS = { useRecords: false } as const

/** What msgpackr throws at the end of the bytes, with the values before the incomplete one. */
interface Cut {
  readonly incomplete?: boolean
  readonly lastPosition?: number
  readonly values?: ReadonlyArray<unknown>
}

/** Reads and writes the messages of one connection. */
const makeParser = (): RpcSerialization.Parser => {
  const unpackr = new Unpackr(OPTIONS)
  const packr = new Packr(OPTIONS)
  let rest: Uint8Array = new Uint8Array(0)
  return {
    decode: (received) => {
      // A socket without an encoding gives bytes.
      const bytes = received as Uint8Array
      const all = rest.length === 0 ? bytes : Buffer.concat([rest, bytes])
      rest = new Uint8Array(0)
      try {
        return unpackr.unpackMultiple(all) as ReadonlyArray<unknown>
      } catch (cause) {
        const { incomplete, lastPosition = 0, values = [] } = cause as Cut
        if (incomplete !== true) throw cause
        rest = all.subarray(lastPosition)
        if (rest.length > MESSAGE_BYTES) throw new Error(`a message has more than ${MESSAGE_BYTES} bytes`)
        return values
      }
    },
    encode: (message) => packr.pack(message)
  }
}

/** How a request ended, as plain data around its result or its error. */
const PlainExit = Schema.toCodecJson(Schema.Exit(Schema.Any, Schema.Any, Schema.Any))

const isExit = (schema: Schema.Top): schema is ReturnType<typeof Schema.Exit> =>
  "value" in schema && "error" in schema && "defect" in schema

/** The encoded side of every Schema is plain data and bytes, which MessagePack has. Only the end of a request is an object of Effect. */
export const codecFor: RpcSerialization.CodecFor = (schema) =>
  isExit(schema) ? PlainExit.pipe(Schema.decodeTo(schema)) : schema

/**
 * How requests and answers cross the daemon's socket: MessagePack. Client and daemon are one build.
 */
export const serialization = Layer.succeed(RpcSerialization.RpcSerialization, {
  contentType: "application/msgpack",
  includesFraming: true,
  codecFor,
  makeUnsafe: makeParser
})
