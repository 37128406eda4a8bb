import { Cause, Context, Effect, Fiber, Option, Pull, Queue, type Scope } from "effect"
import * as RpcClient from "effect/rpc/RpcClient"
import { RequestId } from "effect/rpc/RpcMessage"
import * as Socket from "effect/socket/Socket"
import type { PullEvents } from "../../contract/rows/event-batches.ts"
import { projectHeaders } from "../../contract/wire/caller-project.ts"
import { layerPortable } from "../../contract/wire/portable.ts"
import { CREDIT, RELEASE, type StreamingRow, WINDOW_EVENTS } from "../../contract/wire/rpcs.ts"
import { layerSerialization } from "../../contract/wire/serialization.ts"
import { atClose, withTimeout } from "../../system/waits/effects.ts"
import type { BegunRequest } from "../model/started-exec.ts"
import { failureOf, type RequestFailure } from "./failures.ts"
import type { InputSink } from "./input-buffer.ts"
import { AwaitedRequests, type Begun, makeProtocol, pyroRpcs } from "./protocol.ts"

/** The library's client, by the names of requests. */
interface AnyClient {
  (
    name: string,
    payload: unknown,
    options: EventOptions
  ): Effect.Effect<Queue.Dequeue<unknown, unknown>, never, Scope.Scope>
  (name: string, payload: unknown, options?: { readonly headers: Headers }): Effect.Effect<unknown, unknown>
}

interface EventOptions {
  readonly headers: Headers
  readonly asQueue: true
  readonly streamBufferSize: number
}

type Headers = Readonly<Record<string, string>>

/** Requests and answers over one connection, until it ends. */
export interface Connection {
  /** One request, one answer. */
  readonly ask: (operation: string, payload: unknown, headers?: Headers) => Effect.Effect<unknown, RequestFailure>
  /**
   * Begins an operation and gives its events. If the Scope ends before the last event, it ends the operation and waits for its end. The
   * daemon sends at most a window of events ahead of the reader.
   */
  readonly events: (
    row: StreamingRow,
    payload: unknown,
    headers?: Headers,
    how?: {
      readonly begun?: BegunRequest | undefined
      /** After its first event, the request does not keep the program alive. */
      readonly isBackground?: boolean
    }
  ) => Effect.Effect<PullEvents<unknown, RequestFailure>, never, Scope.Scope>
  /** The receiver of the input of an id. */
  readonly input: (id: string) => InputSink<unknown>
  /** Tells the daemon that a request of `Hold` is needed no more. */
  readonly release: (hold: string) => Effect.Effect<void>
}

/** Maximum wait in ms for the end of an interrupted operation, in addition to the command's grace: a guest may be stuck. */
const END_MS = 5_000

/** Grace of a command in ms, if the request has one. */
const graceMsOf = (payload: unknown) => {
  const { graceSeconds } = payload as { readonly graceSeconds?: unknown }
  return typeof graceSeconds === "number" ? graceSeconds * 1000 : 0
}

/** Number of taken events after which the client gives credit for them. */
const CREDIT_EVENTS = WINDOW_EVENTS / 2

/** The id of this fiber's request on its connection. Undefined: the request gets the next number. */
const ownRequestId: Context.Reference<RequestId | undefined> = Context.Reference("pyro/sdk/ownRequestId", {
  defaultValue: (): RequestId | undefined => undefined
})

/** A line to another machine: the daemon may be of another build, and nobody reports that the line is gone. */
export interface Far {
  /** Time of silence after which the connection counts as lost, in ms. */
  readonly pingMs: number
  /** The headers that say who asks. @default those of this machine, with its paths */
  readonly callerHeaders?: Effect.Effect<Headers> | undefined
}

/** Over any transport that the library has: Node's sockets, and a browser's WebSocket. */
export const connectOver = (
  socket: Socket.Socket,
  awaited = new AwaitedRequests(),
  begun?: Begun,
  close: () => void = () => {},
  /** Headers of every request of this process. */
  always: Readonly<Record<string, string>> = {},
  far?: Far
) =>
  Effect.gen(function*() {
    const { listens, notify, protocol } = yield* makeProtocol(awaited, begun, close, far?.pingMs)
    let requests = 0
    const callerHeaders = far?.callerHeaders ?? projectHeaders
    const generateRequestId = () => Fiber.getCurrent()?.getRef(ownRequestId) ?? RequestId(requests++)
    const client = (yield* RpcClient.make(pyroRpcs(), { disableTracing: true, flatten: true, generateRequestId }).pipe(
      Effect.provideService(RpcClient.Protocol, protocol)
    )) as unknown as AnyClient
    yield* atClose(Effect.sync(() => awaited.endAll()))
    // The library drops earlier answers.
    yield* listens

    const ask: Connection["ask"] = (operation, payload, headers = {}) =>
      Effect.flatMap(
        callerHeaders,
        (own) => client(operation, payload, { headers: { ...always, ...own, ...headers } })
      ).pipe(Effect.catchCause((cause) => Effect.failCause(failureOf(operation, cause))))

    const events: Connection["events"] = (row, payload, headers = {}, { begun, isBackground = false } = {}) =>
      Effect.gen(function*() {
        const id = RequestId(begun?.id ?? requests++)
        // Released after the library has sent the interruption.
        yield* atClose(
          Effect.suspend(() =>
            awaited.has(id) ? withTimeout(END_MS + graceMsOf(payload), awaited.untilEnd(id)) : Effect.void
          )
        )
        const queue = yield* client(row.name, payload, {
          headers: { ...always, ...yield* callerHeaders, ...headers },
          asQueue: true,
          streamBufferSize: Infinity
        }).pipe(Effect.provideService(ownRequestId, id))
        let taken = -(begun?.creditedEvents ?? 0)
        let isAwaited = true
        const pulled = Effect.suspend(() => {
          // A reader that does not pull does not keep its program alive.
          if (isAwaited) awaited.toForeground(id)
          return Effect.ensuring(Queue.takeAll(queue), Effect.sync(() => awaited.toBackground(id)))
        })
        const next = Effect.matchCauseEffect(pulled, {
          onSuccess: (events) => {
            isAwaited = !isBackground
            taken += events.length
            if (taken < CREDIT_EVENTS) return Effect.succeed(events)
            const credit = notify(CREDIT, { request: String(id), events: taken })
            taken = 0
            return Effect.as(credit, events)
          },
          onFailure: (cause): Effect.Effect<never, Option.Option<RequestFailure>> =>
            Pull.isDoneCause(cause)
              ? Effect.fail(Option.none())
              : Effect.failCause(Cause.map(failureOf(row.name, cause), Option.some))
        })
        return () => next
      })

    const input: Connection["input"] = (id) => ({
      write: (at, bytes) => client("input.write", { id, at, bytes }),
      end: client("input.end", { id }),
      interrupt: client("input.interrupt", { id }),
      resize: (size) => client("input.resize", { id, ...size })
    })
    const release: Connection["release"] = (hold) => notify(RELEASE, { hold })
    return { ask, events, input, release } satisfies Connection
  }).pipe(
    Effect.provideService(Socket.Socket, socket),
    Effect.provide(far === undefined ? layerSerialization() : layerPortable())
  )
