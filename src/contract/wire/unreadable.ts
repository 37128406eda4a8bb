import { Predicate, Schema } from "effect"
import * as Rpc from "effect/rpc/Rpc"
import * as RpcGroup from "effect/rpc/RpcGroup"

/**
 * A message between client and daemon that its receiver cannot read. Both are one build, so this is a defect of pyro. The receiver ends the
 * connection: the bytes behind the message have no known beginning.
 */
export class UnreadableMessage extends Error {
  override readonly name = "UnreadableMessage"
  constructor(what: "an answer of the daemon" | "a request", cause: unknown) {
    super(`${what} cannot be read: ${Predicate.isError(cause) ? cause.message : String(cause)}`, { cause })
  }
}

/**
 * The messages among decoded values. The RPC library would ignore a value without a tag, and the request that it answers would wait
 * without an end.
 */
export const messagesOf = <Message>(values: ReadonlyArray<unknown>): ReadonlyArray<Message> => {
  for (const value of values) {
    if (typeof (value as { readonly _tag?: unknown } | null | undefined)?._tag !== "string") {
      throw new Error("a value is no message: it has no tag")
    }
  }
  return values as ReadonlyArray<Message>
}

/** Request by which a client tells the daemon of an answer that it cannot read. */
export const UNREADABLE = "unreadable"

/** The message that ends all requests of a connection. The RPC library's own form of a defect has an empty stack, which programs print. */
export const defectOf = ({ message, name }: UnreadableMessage) =>
  ({ _tag: "Defect", defect: { name, message, stack: `${name}: ${message}` } }) as const

/** Most characters of a client's report. */
const REPORT_CHARACTERS = 1_000

export const reportOf = ({ message }: UnreadableMessage) => ({ detail: message.slice(0, REPORT_CHARACTERS) })

export const ReportRpcs = RpcGroup.make(
  Rpc.make(UNREADABLE, {
    payload: Schema.Struct({ detail: Schema.String.pipe(Schema.check(Schema.isMaxLength(REPORT_CHARACTERS))) })
  })
)
