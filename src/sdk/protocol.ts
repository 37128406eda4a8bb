import * as Socket from "@effect/platform/Socket"
import * as RpcClient from "@effect/rpc/RpcClient"
import { RpcClientError } from "@effect/rpc/RpcClientError"
import type { FromServerEncoded } from "@effect/rpc/RpcMessage"
import * as RpcSerialization from "@effect/rpc/RpcSerialization"
import { Cause, Effect, Layer } from "effect"

const broken = (message: string, cause: unknown) => new RpcClientError({ reason: "Protocol", message, cause })

/** The connection had ended before the request: as with one that could not be opened, nothing of the request was done. */
const notSent = (ended: RpcClientError) =>
  broken(ended.message, new Socket.SocketGenericError({ reason: "Open", cause: ended }))

/**
 * Requests and answers over one connection of a socket, until it ends. `RpcClient.layerProtocolSocket` also pings, and drops the
 * connection of a daemon that does not answer for some ten seconds: one that was stopped, or has much to do, would end its clients'
 * commands by that. Of one that is gone the kernel tells.
 */
export const layerProtocol = Layer.scoped(
  RpcClient.Protocol,
  RpcClient.Protocol.make((writeResponse) =>
    Effect.gen(function*() {
      const socket = yield* Socket.Socket
      const parser = (yield* RpcSerialization.RpcSerialization).unsafeMake()
      const write = yield* socket.writer
      let ended: RpcClientError | undefined

      const fail = (error: RpcClientError) => writeResponse({ _tag: "ClientProtocolError", error })
      const receive = (message: string | Uint8Array) => {
        try {
          const answers = parser.decode(message) as ReadonlyArray<FromServerEncoded>
          return Effect.forEach(answers, writeResponse, { discard: true })
        } catch (defect) {
          return fail(broken("an answer cannot be read", defect))
        }
      }

      yield* socket.runRaw(receive).pipe(
        Effect.zipRight(Effect.fail(new Socket.SocketCloseError({ reason: "Close", code: 1000 }))),
        Effect.catchAllCause((cause) => {
          ended = broken("the connection ended", Cause.squash(cause))
          return fail(ended)
        }),
        Effect.interruptible,
        Effect.forkScoped
      )
      return {
        send: (request) =>
          Effect.suspend(() => {
            if (ended !== undefined) return Effect.fail(request._tag === "Request" ? notSent(ended) : ended)
            const encoded = parser.encode(request)
            return encoded === undefined ? Effect.void : Effect.orDie(write(encoded))
          }),
        supportsAck: true,
        supportsTransferables: false
      }
    })
  )
)
