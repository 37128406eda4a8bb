import { Effect, Layer } from "effect"
import * as RpcSerialization from "effect/rpc/RpcSerialization"
import { DOOR_LINE_BYTES, IDENTITY_HEADER, identityOfLine } from "../../contract/wire/identity.ts"
import { layerPortable } from "../../contract/wire/portable.ts"
import { UnreadableMessage } from "../../contract/wire/serialization.ts"

const LINE_BREAK = 0x0a

interface Asked {
  readonly _tag: string
  headers?: ReadonlyArray<readonly [string, string]>
}

const isIdentity = ([name]: readonly [string, string]) => name.toLowerCase() === IDENTITY_HEADER

/** The message with the identity of its connection. An identity that the client has sent is dropped. */
const identified = (message: Asked, identity: string): Asked => {
  if (message._tag === "Request") {
    message.headers = [...(message.headers ?? []).filter((one) => !isIdentity(one)), [IDENTITY_HEADER, identity]]
  }
  return message
}

/**
 * The form between machines, for connections of a door: each begins with a line that says for whom it is (`doorLine`), and each of its requests gets that
 * identity. The door writes the line before it passes on the client's first byte, so no client can write one.
 */
export const layerDoor = (
  unreadable: (message: UnreadableMessage) => void = () => {}
): Layer.Layer<RpcSerialization.RpcSerialization> =>
  Layer.effect(
    RpcSerialization.RpcSerialization,
    Effect.map(RpcSerialization.RpcSerialization, (portable) =>
      RpcSerialization.RpcSerialization.of({
        ...portable,
        makeUnsafe: () => {
          const parser = portable.makeUnsafe()
          let line = Buffer.alloc(0)
          let identity: string | undefined
          let isLost = false
          const refused = (cause: unknown) => {
            isLost = true
            const message = new UnreadableMessage(cause)
            unreadable(message)
            return message
          }
          /** The client's bytes behind the line. Undefined: the line goes on. */
          const behindLine = (bytes: Uint8Array) => {
            line = Buffer.concat([line, bytes])
            const end = line.indexOf(LINE_BREAK)
            if (end < 0 && line.length <= DOOR_LINE_BYTES) return undefined
            identity = identityOfLine(line.toString("utf8", 0, end < 0 ? 0 : Math.min(end, DOOR_LINE_BYTES)))
            return line.subarray(end + 1)
          }
          return {
            encode: (message) => parser.encode(message),
            decode: (given) => {
              if (isLost) return []
              let bytes: Uint8Array | undefined = typeof given === "string" ? Buffer.from(given) : given
              if (identity === undefined) {
                try {
                  bytes = behindLine(bytes)
                } catch (cause) {
                  throw refused(cause)
                }
              }
              if (bytes === undefined || bytes.length === 0) return []
              return (parser.decode(bytes) as ReadonlyArray<Asked>).map((message) => identified(message, identity!))
            }
          }
        }
      }))
  ).pipe(Layer.provide(layerPortable(unreadable)))
