import { Cause, Option, Result, Schema } from "effect"
import type { RpcClientError } from "effect/rpc/RpcClientError"
import * as Socket from "effect/socket/Socket"
import { DaemonUnavailable, MessageUnreadable, type PyroError } from "../../contract/errors/errors.ts"
import type { NextStep } from "../../contract/errors/next-step.ts"
import type { RequestRefusal } from "../../contract/wire/request-errors.ts"
import { UnreadableMessage } from "../../contract/wire/serialization.ts"

/** The daemon died or left before its answer. */
export class ConnectionLost {
  readonly _tag = "ConnectionLost"
  /** The daemon may have done the work. If not, the client can ask again. */
  readonly mayBeDone: boolean
  /** The daemon does not keep the request any more, which it kept for the next connection. */
  readonly isForgotten: boolean
  /** The client has waited for another connection as long as it does. */
  readonly isGivenUp: boolean
  constructor({ isForgotten = false, isGivenUp = false, mayBeDone }: {
    readonly mayBeDone: boolean
    readonly isForgotten?: boolean
    readonly isGivenUp?: boolean
  }) {
    this.mayBeDone = mayBeDone
    this.isForgotten = isForgotten
    this.isGivenUp = isGivenUp
  }
}

export type RequestFailure = PyroError | ConnectionLost

export const isLost = (failure: RequestFailure): failure is ConnectionLost => failure._tag === "ConnectionLost"

export const lost = (detail: string, next?: ReadonlyArray<NextStep>) =>
  new DaemonUnavailable({ detail: `the connection was lost ${detail}`, ...(next === undefined ? {} : { next }) })

/**
 * The fault of a message that one side cannot read, if this is the defect. The library reports an unreadable request, and an unwritable
 * result, as a text. Handlers die of errors.
 */
const unreadable = (defect: unknown): string | undefined =>
  Schema.isSchemaError(defect) ? defect.message : typeof defect === "string" ? defect : undefined

const ofClient = (operation: string, { reason }: RpcClientError): RequestFailure =>
  reason._tag === "RpcClientDefect" && reason.cause instanceof UnreadableMessage
    ? new MessageUnreadable({ operation, detail: reason.cause.message })
    // Nothing was written: the socket had no listener, or the connection had ended. Its daemon left before.
    : new ConnectionLost({ mayBeDone: reason._tag !== "SocketOpenError" })

/** How a request failed, if the cause is neither our own interruption nor a defect. */
export const failureOf = (operation: string, cause: Cause.Cause<unknown>): Cause.Cause<RequestFailure> => {
  // A leaving daemon interrupts its work and says so.
  if (Cause.hasInterruptsOnly(cause)) return Cause.fail(new ConnectionLost({ mayBeDone: true }))
  const defect = Option.getOrUndefined(Result.getSuccess(Cause.findDefect(cause)))
  // A write to a connection that has ended meanwhile.
  if (Socket.isSocketError(defect)) return Cause.fail(new ConnectionLost({ mayBeDone: true }))
  const detail = unreadable(defect)
  if (detail !== undefined) return Cause.fail(new MessageUnreadable({ operation, detail }))
  return Cause.map(cause, (failure) => {
    const why = failure as PyroError | RpcClientError | RequestRefusal
    if (why._tag === "RpcClientError") return ofClient(operation, why)
    if (why._tag === "RequestForgotten") return new ConnectionLost({ mayBeDone: true, isForgotten: true })
    return why._tag === "DaemonLeaves" ? new ConnectionLost({ mayBeDone: false }) : why
  })
}
