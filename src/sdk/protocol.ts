import * as Socket from "@effect/platform/Socket"
import * as RpcClient from "@effect/rpc/RpcClient"
import { RpcClientError } from "@effect/rpc/RpcClientError"
import type { FromClientEncoded, FromServerEncoded } from "@effect/rpc/RpcMessage"
import * as RpcSerialization from "@effect/rpc/RpcSerialization"
import { Cause, Effect, Layer } from "effect"

const broken = (message: string, cause: unknown) => new RpcClientError({ reason: "Protocol", message, cause })

/** The connection had ended before the request: as with one that could not be opened, nothing of the request was done. */
const notSent = (ended: RpcClientError) =>
  broken(ended.message, new Socket.SocketGenericError({ reason: "Open", cause: ended }))

/**
 * Stands between a client and a connection on which the first messages were sent by another: these are not sent again, and their answers,
 * which may have come long ago, wait until the client has asked.
 */
const makeTakenOver = (sent: ReadonlyArray<string>) => {
  const left = [...sent]
  const asked = new Set<string>()
  let early: Array<FromServerEncoded> = []
  const isEarly = (answer: FromServerEncoded) =>
    sent.length > 0 && "requestId" in answer && !asked.has(answer.requestId)
  return {
    /** Whether the daemon has a message already. */
    has: (request: FromClientEncoded): boolean => {
      if (left.length === 0 || left[0] !== (request._tag === "Request" ? request.tag : request._tag)) return false
      left.shift()
      return true
    },
    /** Answers that the client awaits, of those that came just now. */
    awaited: (answers: ReadonlyArray<FromServerEncoded>) => {
      early.push(...answers.filter(isEarly))
      return answers.filter((one) => !isEarly(one))
    },
    /** Answers that came before the client asked for them. */
    asks: (request: FromClientEncoded): ReadonlyArray<FromServerEncoded> => {
      if (request._tag !== "Request" || sent.length === 0) return []
      asked.add(request.id)
      const answers = early.filter((one) => !isEarly(one))
      early = early.filter(isEarly)
      return answers
    }
  } as const
}

/**
 * Requests and answers over one connection of a socket, until it ends. `RpcClient.layerProtocolSocket` also pings, and drops the
 * connection of a daemon that does not answer for some ten seconds: one that was stopped, or has much to do, would end its clients'
 * commands by that. Of one that is gone the kernel tells.
 */
/** `sent` are messages that the daemon has got already, by the names of requests. */
export const layerProtocol = (sent: ReadonlyArray<string> = []) =>
  Layer.scoped(
    RpcClient.Protocol,
    RpcClient.Protocol.make((writeResponse) =>
      Effect.gen(function*() {
        const socket = yield* Socket.Socket
        const parser = (yield* RpcSerialization.RpcSerialization).unsafeMake()
        const write = yield* socket.writer
        const scope = yield* Effect.scope
        const takenOver = makeTakenOver(sent)
        let ended: RpcClientError | undefined

        const fail = (error: RpcClientError) => writeResponse({ _tag: "ClientProtocolError", error })
        const receive = (message: string | Uint8Array) => {
          try {
            const answers = parser.decode(message) as ReadonlyArray<FromServerEncoded>
            return Effect.forEach(takenOver.awaited(answers), writeResponse, { discard: true })
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
              if (takenOver.has(request)) {
                const came = takenOver.asks(request)
                return Effect.asVoid(Effect.forkIn(Effect.forEach(came, writeResponse, { discard: true }), scope))
              }
              takenOver.asks(request)
              const encoded = parser.encode(request)
              return encoded === undefined ? Effect.void : Effect.orDie(write(encoded))
            }),
          supportsAck: true,
          supportsTransferables: false
        }
      })
    )
  )
