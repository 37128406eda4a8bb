import * as Socket from "@effect/platform/Socket"
import * as RpcClient from "@effect/rpc/RpcClient"
import { RpcClientError } from "@effect/rpc/RpcClientError"
import type { FromClientEncoded, FromServerEncoded } from "@effect/rpc/RpcMessage"
import * as RpcSerialization from "@effect/rpc/RpcSerialization"
import { Cause, Effect, Layer } from "effect"
import type { DirectRequests } from "./direct-requests.ts"

const broken = (message: string, cause: unknown) => new RpcClientError({ reason: "Protocol", message, cause })

/** The connection ended before the request was sent, so the daemon did none of its work. */
const notSent = (ended: RpcClientError) =>
  broken(ended.message, new Socket.SocketGenericError({ reason: "Open", cause: ended }))

/** Offset of the ids of this client's own requests: requests of another sender have ids from 0, as the RPC client's do. */
const OWN_IDS = 1_000_000n

/**
 * Stands between a client and a connection on which another sender sent the first messages. It does not send these messages again.
 * Their answers, which may arrive early, wait until the client asks. The client may ask in another order, and send other requests
 * in between.
 */
const makeTakenOver = (sent: ReadonlyArray<string>) => {
  let requests = 0
  const left = sent.map((name) => ({ name, id: name === "Ack" ? undefined : String(requests++) }))
  /** Connection ids by client ids, and the reverse. */
  const wireIds = new Map<string, string>()
  const clientIds = new Map<string, string>()
  let early: Array<FromServerEncoded> = []

  const link = (clientId: string, wireId: string) => {
    wireIds.set(clientId, wireId)
    clientIds.set(wireId, clientId)
  }
  const wireOf = (clientId: string) => wireIds.get(clientId) ?? clientId
  const toClient = (answer: FromServerEncoded): FromServerEncoded | undefined => {
    if (sent.length === 0 || !("requestId" in answer)) return answer
    const requestId = clientIds.get(answer.requestId)
    return requestId === undefined ? undefined : { ...answer, requestId }
  }
  return {
    /** The message for the daemon. `undefined` if the daemon already has it. */
    toDaemon: (request: FromClientEncoded): FromClientEncoded | undefined => {
      if (sent.length === 0) return request
      const name = request._tag === "Request" ? request.tag : request._tag
      const at = left.findIndex((one) => one.name === name)
      const [had] = at < 0 ? [] : left.splice(at, 1)
      if (request._tag === "Request") {
        link(request.id, had?.id ?? String(BigInt(request.id) + OWN_IDS))
        return had === undefined ? { ...request, id: wireOf(request.id) } : undefined
      }
      if (had !== undefined) return undefined
      return "requestId" in request ? { ...request, requestId: wireOf(request.requestId) } : request
    },
    /** Newly arrived answers that the client awaits. */
    awaited: (answers: ReadonlyArray<FromServerEncoded>) =>
      answers.flatMap((one) => {
        const known = toClient(one)
        if (known === undefined) early.push(one)
        return known === undefined ? [] : [known]
      }),
    /** Answers that arrived before the client's request. */
    late: (): ReadonlyArray<FromServerEncoded> => {
      const [before, known] = [early, early.map(toClient)]
      early = before.filter((_, index) => known[index] === undefined)
      return known.filter((one) => one !== undefined)
    }
  } as const
}

/**
 * Requests and answers over one connection of a socket, until it ends. `RpcClient.layerProtocolSocket` would also ping, and drop a
 * daemon without an answer for some ten seconds. A stopped or busy daemon would then end its clients' commands. The kernel reports
 * a dead daemon.
 */
/** `sent` are messages that the daemon has got already, by the names of requests. */
export const layerProtocol = (direct: DirectRequests, sent: ReadonlyArray<string> = []) =>
  Layer.scoped(
    RpcClient.Protocol,
    RpcClient.Protocol.make((writeResponse) =>
      Effect.gen(function*() {
        const socket = yield* Socket.Socket
        const parser = (yield* RpcSerialization.RpcSerialization).unsafeMake()
        direct.encodeBy(parser)
        const write = yield* socket.writer
        const scope = yield* Effect.scope
        const takenOver = makeTakenOver(sent)
        let ended: RpcClientError | undefined

        const fail = (error: RpcClientError) => writeResponse({ _tag: "ClientProtocolError", error })
        const receive = (message: string | Uint8Array) => {
          try {
            const all = parser.decode(message) as ReadonlyArray<FromServerEncoded>
            const answers = all.filter((answer) => !direct.take(answer))
            return answers.length === 0
              ? undefined
              : Effect.forEach(takenOver.awaited(answers), writeResponse, { discard: true })
          } catch (defect) {
            return fail(broken("an answer cannot be read", defect))
          }
        }

        yield* socket.runRaw(receive).pipe(
          Effect.zipRight(Effect.fail(new Socket.SocketCloseError({ reason: "Close", code: 1000 }))),
          Effect.catchAllCause((cause) => {
            ended = broken("the connection ended", Cause.squash(cause))
            direct.fail(ended)
            return fail(ended)
          }),
          Effect.interruptible,
          Effect.forkScoped
        )
        return {
          send: (request) =>
            Effect.suspend(() => {
              if (ended !== undefined) return Effect.fail(request._tag === "Request" ? notSent(ended) : ended)
              const message = takenOver.toDaemon(request)
              if (message === undefined) {
                const came = takenOver.late()
                return Effect.asVoid(Effect.forkIn(Effect.forEach(came, writeResponse, { discard: true }), scope))
              }
              const encoded = parser.encode(message)
              return encoded === undefined ? Effect.void : Effect.orDie(write(encoded))
            }),
          supportsAck: true,
          supportsTransferables: false
        }
      })
    )
  )
