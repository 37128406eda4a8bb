import { Predicate, Schema, SchemaGetter, SchemaParser } from "effect"
import * as Rpc from "effect/rpc/Rpc"
import * as RpcGroup from "effect/rpc/RpcGroup"
import { PyroError } from "../errors/errors.ts"
import { lazy } from "../rows/operation.ts"
import { type Operation, operations } from "../rows/operations.ts"
import { answerForm, payloadForm } from "./forms.ts"

export type UnaryRow = Extract<Operation, { readonly kind: "unary" }>
export type StreamingRow = Extract<Operation, { readonly kind: "streaming" }>

/** What a daemon that has decided to leave answers: nothing of the request was begun, the next daemon can be asked. Clients only. */
export class DaemonLeaves extends Schema.TaggedError<DaemonLeaves>()("DaemonLeaves", {}) {}

type RequestError = PyroError | DaemonLeaves

const requestErrors = lazy(() => Schema.toCodecJson(Schema.Union([PyroError, DaemonLeaves])))

/** How a request between client and daemon fails. It crosses as JSON: the form of all its classes is made with the first failure, not at each start. */
const RequestError = Schema.declare(
  (failure): failure is RequestError => Predicate.isError(failure) && Predicate.hasProperty(failure, "_tag"),
  {
    expected: "an error of pyro",
    toCodecJson: () =>
      Schema.link<RequestError>()(Schema.Unknown, {
        decode: SchemaGetter.transformEffect((json, options) =>
          SchemaParser.decodeUnknownEffect(requestErrors())(json, options)
        ),
        encode: SchemaGetter.transformEffect((failure, options) =>
          SchemaParser.encodeUnknownEffect(requestErrors())(failure, options)
        )
      })
  }
)

/** Events of an operation that the daemon sends before its client has taken any. */
export const WINDOW_EVENTS = 32

/** Most bytes of input in one request. */
export const INPUT_BYTES = 65_536

/** Header of a request with the id of the input that flows beside it. */
export const INPUT_HEADER = "pyro-input"

/** Header of a request that goes on with an earlier one of the same exec id, whose connection was lost. */
export const RESUMED_HEADER = "pyro-resumed"

/** Header of a request whose command ends when the request does, also when the caller's connection is lost in its time to wait. */
export const ENDS_WITH_CALLER_HEADER = "pyro-ends-with-caller"

/** Names an input, which flows beside a request: minted by the client. */
const InputId = Schema.String.pipe(Schema.check(Schema.isPattern(/^[0-9a-f]{32}$/)))

/** The client tells the daemon that it has taken events of an operation, by the id of the operation's request on this connection. */
export const CREDIT = "credit"

/** The client tells the daemon of an answer that it cannot read. */
export const UNREADABLE = "unreadable"

/** Most characters of such a report. */
export const REPORT_CHARACTERS = 1_000

/**
 * What stands beside the operations. Input flows into a running command as requests, one at a time, each answered when the command is ready
 * for more: RPCs stream only towards the client.
 */
const makeOtherRpcs = () =>
  RpcGroup.make(
    Rpc.make("input.write", {
      payload: {
        id: InputId,
        bytes: Schema.Uint8Array.pipe(Schema.check(Schema.makeFilter((all) => all.length <= INPUT_BYTES)))
      }
    }),
    Rpc.make("input.end", { payload: { id: InputId } }),
    Rpc.make("input.interrupt", { payload: { id: InputId } }),
    Rpc.make("input.resize", { payload: { id: InputId, rows: Schema.Int, cols: Schema.Int } }),
    Rpc.make(CREDIT, { payload: { request: Schema.String, events: Schema.Int } }),
    Rpc.make(UNREADABLE, {
      payload: { detail: Schema.String.pipe(Schema.check(Schema.isMaxLength(REPORT_CHARACTERS))) }
    })
  )

/** An operation's RPC. Its Schemas are made when they are first used: a client calls one row or two of them all. */
const rpcOf = (row: Operation): Rpc.Any => {
  const made = lazy((): Rpc.AnyWithProps => {
    const [payload, error] = [payloadForm(row.payload()), RequestError]
    return row.kind === "unary"
      ? Rpc.make(row.name, { payload, success: answerForm(row.result()), error })
      : Rpc.make(row.name, { payload, success: answerForm(row.event()), error, stream: true })
  })
  return Object.defineProperties(Rpc.make(row.name), {
    payloadSchema: { get: () => made().payloadSchema },
    successSchema: { get: () => made().successSchema },
    errorSchema: { get: () => made().errorSchema }
  })
}

type OtherRpcs = RpcGroup.Rpcs<ReturnType<typeof makeOtherRpcs>>

type RpcOf<Row extends Operation> = Row extends UnaryRow
  ? Rpc.Rpc<Row["name"], ReturnType<Row["payload"]>, ReturnType<Row["result"]>, typeof RequestError>
  : never

/** Every operation, and the input of commands, for a server and its clients over any transport. */
export const makePyroRpcs = () =>
  RpcGroup.make(...operations.map(rpcOf)).merge(makeOtherRpcs()) as unknown as RpcGroup.RpcGroup<
    RpcOf<Operation> | OtherRpcs
  >
