import { Deferred, Duration, Effect, Schedule, Schema } from "effect"
import * as RpcClient from "effect/rpc/RpcClient"
import { RpcClientDefect, RpcClientError } from "effect/rpc/RpcClientError"
import type { FromServerEncoded } from "effect/rpc/RpcMessage"
import * as Socket from "effect/socket/Socket"
import { lazy } from "../../contract/rows/operation.ts"
import { makePyroRpcs, REPORT_CHARACTERS, UNREADABLE } from "../../contract/wire/rpcs.ts"
import { UnreadableMessage } from "../../contract/wire/serialization.ts"
import { withTimeout } from "../../system/waits/effects.ts"

type RequestId = string | number

/** The part of a connection that decides whether it keeps the process alive. */
interface Referenced {
  readonly ref: () => unknown
  readonly unref: () => unknown
}

/**
 * The requests of a connection that wait for their last answer. The connection keeps the process alive only for them, so that a program
 * without a `close` ends.
 */
export class AwaitedRequests {
  readonly #ends = new Map<RequestId, Deferred.Deferred<void> | undefined>()
  readonly #inBackground = new Set<RequestId>()
  #connection: Referenced | undefined

  connected(connection: Referenced) {
    this.#connection = connection
    this.#keepAlive()
  }

  begin(id: RequestId) {
    this.#ends.set(id, undefined)
    this.#keepAlive()
  }

  /** From now on, no caller waits for the request. */
  toBackground(id: RequestId) {
    if (this.#ends.has(id)) this.#inBackground.add(id)
    this.#keepAlive()
  }

  /** The caller waits for an answer. */
  toForeground(id: RequestId) {
    if (this.#inBackground.delete(id)) this.#keepAlive()
  }

  end(id: RequestId) {
    const waited = this.#ends.get(id)
    if (!this.#ends.delete(id)) return
    this.#inBackground.delete(id)
    this.#keepAlive()
    if (waited !== undefined) Deferred.doneUnsafe(waited, Effect.void)
  }

  #keepAlive() {
    if (this.#ends.size > this.#inBackground.size) this.#connection?.ref()
    else this.#connection?.unref()
  }

  has(id: RequestId) {
    return this.#ends.has(id)
  }

  endAll() {
    for (const id of [...this.#ends.keys()]) this.end(id)
  }

  /** Waits for the last answer to a request. */
  untilEnd(id: RequestId): Effect.Effect<void> {
    return Effect.suspend(() => {
      if (!this.#ends.has(id)) return Effect.void
      this.toForeground(id)
      const waited = this.#ends.get(id) ?? Deferred.makeUnsafe<void>()
      this.#ends.set(id, waited)
      return Deferred.await(waited)
    })
  }
}

/** A request that the daemon has already received. */
export interface Begun {
  readonly id: string
  /** Done when this program has made the request, too. */
  readonly asked: Deferred.Deferred<void>
}

/** Maximum time to report an unreadable answer, in ms. */
const REPORT_MS = 1_000

/** The connection ended before the request was sent, so the daemon did none of its work. */
const notSent = (ended: RpcClientError) =>
  new RpcClientError({ reason: new Socket.SocketOpenError({ kind: "Unknown", cause: ended }) })

export const pyroRpcs = lazy(makePyroRpcs)

/**
 * The library's protocol without acknowledgements, and without pings between processes of one machine. Pings would end the commands of a client
 * whose daemon was stopped for a while, and the kernel reports a dead one. A line to another machine may be silent for ever: `pingMs` is the time
 * without an answer after which the line counts as lost. Acknowledgements would let a slow reader stop all others: events have credits instead.
 */
export const makeProtocol = (awaited: AwaitedRequests, begun: Begun | undefined, close: () => void, pingMs?: number) =>
  Effect.gen(function*() {
    const library = yield* RpcClient.makeProtocolSocket({
      pingInterval: pingMs === undefined ? Duration.infinity : Duration.millis(pingMs),
      retryPolicy: Schedule.recurs(0)
    })
    const listens = yield* Deferred.make<void>()
    let ended: RpcClientError | undefined
    /** Sends a request without an answer. */
    const notify = (tag: string, payload: unknown) => {
      const { payloadSchema } = pyroRpcs().requests.get(tag as never) as unknown as {
        readonly payloadSchema: Schema.Top
      }
      const encoded = Schema.encodeUnknownSync(library.codecFor(payloadSchema) as Schema.Codec<unknown>)(payload)
      return Effect.ignoreCause(
        library.send(0, { _tag: "Request", id: "", tag, payload: encoded, headers: [], isNotification: true })
      )
    }
    const defectOf = Schema.decodeUnknownSync(library.codecFor(Schema.Defect()) as Schema.Codec<unknown>)
    const unreadable = (cause: unknown) =>
      new RpcClientError({ reason: new RpcClientDefect({ message: "a message cannot be read", cause }) })
    /** Notes an answer. A message that cannot be read ends the connection; the daemon's log gets its reason, too. */
    const received = (
      answer: FromServerEncoded
    ): { readonly answer: FromServerEncoded; readonly then?: Effect.Effect<void> } => {
      if (answer._tag === "Exit") awaited.end(answer.requestId)
      if (answer._tag === "Defect") {
        ended = unreadable(new UnreadableMessage(defectOf(answer.defect)))
        awaited.endAll()
        return { answer: { _tag: "ClientProtocolError", error: ended }, then: Effect.sync(close) }
      }
      if (answer._tag !== "ClientProtocolError") return { answer }
      const { reason } = ended = answer.error
      awaited.endAll()
      if (reason._tag !== "RpcClientDefect" || !(reason.cause instanceof UnreadableMessage)) return { answer }
      const detail = reason.cause.message.slice(0, REPORT_CHARACTERS)
      // The other side may read nothing more.
      return {
        answer,
        then: Effect.andThen(withTimeout(REPORT_MS, notify(UNREADABLE, { detail })), Effect.sync(close))
      }
    }
    const protocol = RpcClient.Protocol.of({
      ...library,
      supportsAck: false,
      run: (clientId, write) =>
        // The forked fiber begins in a later turn, when `run` listens already.
        Effect.andThen(
          Effect.forkChild(Deferred.succeed(listens, undefined)),
          library.run(clientId, (message) => {
            const { answer, then } = received(message)
            return then === undefined ? write(answer) : Effect.andThen(write(answer), then)
          })
        ),
      send: (clientId, request, transferables) =>
        request._tag !== "Request" ? library.send(clientId, request, transferables) : Effect.suspend(() => {
          if (ended !== undefined) return Effect.fail(notSent(ended))
          awaited.begin(request.id)
          // The daemon has this request already. From now on, the answers have a receiver.
          if (request.id === begun?.id) return Effect.asVoid(Deferred.succeed(begun.asked, undefined))
          return library.send(clientId, request, transferables)
        })
    })
    return { listens: Deferred.await(listens), notify, protocol }
  })
