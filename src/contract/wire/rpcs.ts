import { Schema } from "effect"
import * as Rpc from "effect/rpc/Rpc"
import * as RpcGroup from "effect/rpc/RpcGroup"
import { lazy } from "../rows/operation.ts"
import { type Operation, operations } from "../rows/operations.ts"
import { bulk } from "./bulk.ts"
import { answerForm, payloadForm } from "./forms.ts"
import { HoldId } from "./hold.ts"
import { RequestError } from "./request-errors.ts"

export type UnaryRow = Extract<Operation, { readonly kind: "unary" }>
export type StreamingRow = Extract<Operation, { readonly kind: "streaming" }>

/** Maximum events of an operation that the daemon sends ahead of its client. */
export const WINDOW_EVENTS = 32

/** Maximum bytes of input in one request. */
export const INPUT_BYTES = 262_144

/** Maximum requests with input of one id that wait for their answers. */
export const INPUT_REQUESTS = 4

/** Header with the id of the input beside the request. */
export const INPUT_HEADER = "pyro-input"

/** Header of a request whose input has no stdin: only signals and window sizes. The command reads an empty stdin. */
export const NO_STDIN_HEADER = "pyro-no-stdin"

/** Header of a request that resumes an earlier one of the same exec id after a lost connection. */
export const RESUMED_HEADER = "pyro-resumed"

/** Header of a request whose command ends with the request, also if the connection is lost while the caller waits. */
export const ENDS_WITH_CALLER_HEADER = "pyro-ends-with-caller"

/** Header of a request for a command's start and end alone. The caller reads the output by the command's id. */
export const NO_OUTPUT_HEADER = "pyro-no-output"

/** Id of the input beside a request. The client mints it. */
const InputId = Schema.String.pipe(Schema.check(Schema.isPattern(/^[0-9a-f]{32}$/)))

/** Reports to the daemon the number of taken events, with the id of the operation's request on this connection. */
export const CREDIT = "credit"

/** Asks a daemon who it is. The first request of a client on another machine: every version answers it, with at least these fields. */
export const HELLO = "hello"

/** A daemon's answer to `hello`. */
const Hello = Schema.Struct({
  /** Of this process alone: the next daemon of the same machine has another one. */
  daemonId: Schema.String,
  /** Version and build. */
  version: Schema.String
})
export type Hello = typeof Hello.Type

/** Says that the client needs the request of this `Hold` no more. Work that goes on is interrupted. */
export const RELEASE = "release"

/** Reports an unreadable answer to the daemon. */
export const UNREADABLE = "unreadable"

/** Maximum characters of such a report. */
export const REPORT_CHARACTERS = 1_000

/**
 * The RPCs beside the operations. Input of a running command is a few requests at a time, each answered when the command is ready for more:
 * RPCs stream only to the client. `at` is the number of input bytes before the request's: the daemon takes them in this order.
 */
const makeOtherRpcs = () =>
  RpcGroup.make(
    Rpc.make("input.write", {
      payload: bulk(Schema.Struct({
        id: InputId,
        at: Schema.Int,
        bytes: Schema.Uint8Array.pipe(Schema.check(Schema.makeFilter((all) => all.length <= INPUT_BYTES)))
      })),
      error: RequestError
    }),
    Rpc.make("input.end", { payload: { id: InputId } }),
    Rpc.make("input.interrupt", { payload: { id: InputId } }),
    Rpc.make("input.resize", { payload: { id: InputId, rows: Schema.Int, cols: Schema.Int } }),
    Rpc.make(HELLO, { success: Hello, error: RequestError }),
    Rpc.make(RELEASE, { payload: { hold: HoldId } }),
    Rpc.make(CREDIT, { payload: { request: Schema.String, events: Schema.Int } }),
    Rpc.make(UNREADABLE, {
      payload: { detail: Schema.String.pipe(Schema.check(Schema.isMaxLength(REPORT_CHARACTERS))) }
    })
  )

/** Events of files, of which many have bytes. Those of a command have a client of their own (src/cli/quick-exec), which reads the library's form. */
const eventForm = (row: StreamingRow) => {
  const form = answerForm(row.event())
  return row.name === "workspace.file.download" ? bulk(form) : form
}

/** An operation's RPC. Its Schemas are made at their first use: a client calls one or two rows. */
const rpcOf = (row: Operation): Rpc.Any => {
  const made = lazy((): Rpc.AnyWithProps => {
    const [payload, error] = [payloadForm(row.payload()), RequestError]
    return row.kind === "unary"
      ? Rpc.make(row.name, { payload, success: answerForm(row.result()), error })
      : Rpc.make(row.name, { payload, success: eventForm(row), error, stream: true })
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
