import { NetSocket } from "@effect/platform-node/NodeSocket"
import { Cause, Effect, Layer, Option, Queue, Scope } from "effect"
import type { FromClientEncoded, FromServerEncoded } from "effect/rpc/RpcMessage"
import * as RpcSerialization from "effect/rpc/RpcSerialization"
import * as RpcServer from "effect/rpc/RpcServer"
import * as Socket from "effect/socket/Socket"
import { SocketServer } from "effect/socket/SocketServer"
import { defectOf, messagesOf, UnreadableMessage } from "../contract/wire/unreadable.ts"
import type { DirectMessages } from "./direct-messages.ts"

/**
 * Requests and answers of all clients. `RpcServer.layerProtocolSocketServer` would start a fiber for each message; here, `direct` takes its
 * messages in the turn of the event loop in which they arrive.
 */
export const layerProtocol = (direct: DirectMessages) =>
  Layer.effect(
    RpcServer.Protocol,
    Effect.gen(function*() {
      const serialization = yield* RpcSerialization.RpcSerialization
      const server = yield* SocketServer
      const disconnects = yield* Queue.unbounded<number>()
      const clients = new Map<number, (message: FromServerEncoded) => Effect.Effect<void>>()
      let lastId = 0
      let writeRequest: (clientId: number, message: FromClientEncoded) => Effect.Effect<void>

      const serve = (socket: Socket.Socket) =>
        Effect.gen(function*() {
          const id = lastId++
          const scope = yield* Effect.scope
          const parser = serialization.makeUnsafe()
          yield* Scope.addFinalizer(
            scope,
            Effect.suspend(() => {
              clients.delete(id)
              direct.close(id)
              return Queue.offer(disconnects, id)
            })
          )
          const connection = Option.getOrUndefined(yield* Effect.serviceOption(NetSocket))
          const { write } = yield* socket.writer
          clients.set(id, (message) =>
            Effect.suspend(() => {
              const encoded = parser.encode(message)
              return encoded === undefined ? Effect.void : Effect.orDie(write(encoded))
            }))
          const taken = connection && direct.open(id, (message) => {
            if (connection.writable) connection.write(parser.encode(message)!)
          })
          let isUnreadable = false
          const receive = (bytes: string | Uint8Array): Effect.Effect<void, Socket.SocketError> => {
            if (isUnreadable) return Effect.void
            try {
              const all = messagesOf<FromClientEncoded>(parser.decode(bytes))
              const messages = taken === undefined ? all : all.filter((message) => !taken.take(message))
              return messages.length === 0
                ? Effect.void
                : Effect.forEach(messages, (message) => writeRequest(id, message), { discard: true })
            } catch (cause) {
              isUnreadable = true
              const unreadable = new UnreadableMessage("a request", cause)
              return Effect.logError(`of a client: ${unreadable.message}`, Cause.die(cause)).pipe(
                Effect.andThen(write(parser.encode(defectOf(unreadable))!)),
                Effect.andThen(write(new Socket.CloseEvent()))
              )
            }
          }
          const { pull } = yield* socket.reader
          return yield* Effect.forever(Effect.flatMap(pull, (all) => Effect.forEach(all, receive, { discard: true })))
            .pipe(
              Effect.interruptible
            )
        })

      const protocol = yield* RpcServer.Protocol.make((write) => {
        writeRequest = write
        return Effect.succeed({
          disconnects,
          send: (clientId, message) => clients.get(clientId)?.(message) ?? Effect.void,
          end: () => Effect.void,
          clientIds: Effect.sync(() => new Set(clients.keys())),
          initialMessage: Effect.succeedNone,
          supportsAck: true,
          supportsTransferables: false,
          supportsSpanPropagation: true,
          supportsNotifications: true,
          codecFor: serialization.codecFor
        })
      })
      // A connection that ends, in whatever way, is no fault of this process.
      yield* server.run((socket) => Effect.ignore(Effect.scoped(serve(socket)))).pipe(
        Effect.interruptible,
        Effect.forkScoped
      )
      return protocol
    })
  )
