import { Cause, Effect, Layer } from "effect"
import * as RpcClient from "effect/rpc/RpcClient"
import { RpcClientDefect, RpcClientError } from "effect/rpc/RpcClientError"
import type { FromClientEncoded, FromServerEncoded } from "effect/rpc/RpcMessage"
import * as RpcSerialization from "effect/rpc/RpcSerialization"
import * as Socket from "effect/socket/Socket"
import { defectOf, messagesOf, reportOf, UNREADABLE, UnreadableMessage } from "../contract/wire/unreadable.ts"
import type { Awaited } from "./awaited.ts"
import type { DirectRequests } from "./direct-requests.ts"

const broken = (message: string, cause: unknown) =>
  new RpcClientError({ reason: Socket.isSocketError(cause) ? cause.reason : new RpcClientDefect({ message, cause }) })

/** The connection ended before the request was sent, so the daemon did none of its work. */
const notSent = (ended: RpcClientError) =>
  new RpcClientError({ reason: new Socket.SocketOpenError({ kind: "Unknown", cause: ended }) })

type Write = Parameters<RpcClient.Protocol["Service"]["run"]>[1]

/** Hands answers to the RPC client. */
const makeReceiver = () => {
  let early: Array<FromServerEncoded> = []
  let take: Write = (answer) => Effect.sync(() => void early.push(answer))
  return {
    write: (answer: FromServerEncoded) => take(answer),
    run: (_clientId: number, client: Write) =>
      Effect.suspend(() => {
        const before = early
        early = []
        take = client
        return Effect.andThen(Effect.forEach(before, client, { discard: true }), Effect.never)
      })
  } as const
}

/** Id of the report of an answer that cannot be read: the connection's last request. */
const REPORT_ID = "2000000000000000"

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
  const wireIds = new Map<string | number, string>()
  const clientIds = new Map<string | number, string | number>()
  let early: Array<FromServerEncoded> = []

  const link = (clientId: string | number, wireId: string) => {
    wireIds.set(clientId, wireId)
    clientIds.set(wireId, clientId)
  }
  const wireOf = (clientId: string | number) => wireIds.get(clientId) ?? clientId
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
export const layerProtocol = (direct: DirectRequests, awaited: Awaited, sent: ReadonlyArray<string> = []) =>
  Layer.effect(
    RpcClient.Protocol,
    Effect.gen(function*() {
      const { run, write } = makeReceiver()
      const socket = yield* Socket.Socket
      const { codecFor, makeUnsafe } = yield* RpcSerialization.RpcSerialization
      const parser = makeUnsafe()
      direct.encodeBy(parser)
      const { write: send } = yield* socket.writer
      const scope = yield* Effect.scope
      const takenOver = makeTakenOver(sent)
      let ended: RpcClientError | undefined

      const writeResponse: typeof write = (answer) => {
        awaited.answered(answer)
        return write(answer)
      }
      const fail = (error: RpcClientError) => writeResponse({ _tag: "ClientProtocolError", error })
      const receive = (message: string | Uint8Array) => {
        if (ended !== undefined) return
        try {
          const all = messagesOf<FromServerEncoded>(parser.decode(message))
          const answers = all.filter((answer) => !direct.take(answer))
          return answers.length === 0
            ? undefined
            : Effect.forEach(takenOver.awaited(answers), writeResponse, { discard: true })
        } catch (cause) {
          return unreadable(new UnreadableMessage("an answer of the daemon", cause))
        }
      }
      /** Ends all requests with the defect, and the connection. The daemon's log gets the defect, too. */
      const unreadable = (defect: UnreadableMessage) => {
        ended = broken("the connection ended", defect)
        const answer = defectOf(defect)
        direct.take(answer)
        direct.fail(ended)
        const report = { _tag: "Request", id: REPORT_ID, tag: UNREADABLE, payload: reportOf(defect), headers: [] }
        return writeResponse(answer).pipe(
          Effect.andThen(send(parser.encode(report)!)),
          Effect.andThen(send(new Socket.CloseEvent()))
        )
      }

      // An answer that waits for a slow reader must not stop those behind it.
      const received = (message: string | Uint8Array) => {
        const work = receive(message)
        return work === undefined ? Effect.void : Effect.forkIn(work, scope, { startImmediately: true })
      }
      yield* Effect.gen(function*() {
        const { pull } = yield* socket.reader
        while (true) yield* Effect.forEach(yield* pull, received, { discard: true })
      }).pipe(
        Effect.scoped,
        Effect.catchCause((cause) => {
          ended = broken("the connection ended", Cause.squash(cause))
          direct.fail(ended)
          return fail(ended)
        }),
        Effect.interruptible,
        Effect.forkScoped
      )
      return RpcClient.Protocol.of({
        run,
        send: (_clientId, request) =>
          Effect.suspend(() => {
            if (ended !== undefined) return Effect.fail(request._tag === "Request" ? notSent(ended) : ended)
            if (request._tag === "Request") awaited.begin(request.id)
            const message = takenOver.toDaemon(request)
            if (message === undefined) {
              const came = takenOver.late()
              return Effect.asVoid(Effect.forkIn(Effect.forEach(came, writeResponse, { discard: true }), scope))
            }
            const encoded = parser.encode(message)
            return encoded === undefined
              ? Effect.void
              : Effect.mapError(send(encoded), (cause) => broken("the connection ended", cause))
          }),
        supportsAck: true,
        supportsTransferables: false,
        codecFor
      })
    })
  )
