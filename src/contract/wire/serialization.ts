import { Effect, Layer, Predicate } from "effect"
import * as RpcSerialization from "effect/rpc/RpcSerialization"

/** Maximum bytes of a message. */
export const MESSAGE_BYTES = 16 * 1024 * 1024

/** A message of the other side that cannot be read. */
export class UnreadableMessage extends Error {
  override readonly name = "UnreadableMessage"
  constructor(cause: unknown) {
    super(`a message cannot be read: ${Predicate.isError(cause) ? cause.message : String(cause)}`, { cause })
  }
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
    Effect.map(RpcSerialization.RpcSerialization, (library) => ({
      ...library,
      makeUnsafe: () => {
        const { decode, encode } = library.makeUnsafe()
        let isLost = false
        return {
          encode,
          decode: (bytes: Uint8Array | string) => {
            if (isLost) return []
            try {
              return decode(bytes)
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
  ).pipe(Layer.provide(RpcSerialization.layerSchemaBinary({ maxFrameSize: MESSAGE_BYTES, fingerprintPayloads: true })))
