import * as Rpc from "@effect/rpc/Rpc"
import * as RpcGroup from "@effect/rpc/RpcGroup"
import { ParseResult, Schema } from "effect"
import { RequestError } from "./daemon-leaves.ts"
import { RequestId } from "./input-rpcs.ts"
import { lazy, type PureSchema } from "./operation.ts"
import { type Operation, operations } from "./operations.ts"

export type StreamingRow = Extract<Operation, { readonly kind: "streaming" }>

/** Operations with events, each asked for in two steps. */
export const streamingRows = operations.filter((row): row is StreamingRow => row.kind === "streaming")

/** How an operation began: all its events, or the first of them. */
export interface Beginning<Event> {
  readonly events: ReadonlyArray<Event>
  /** More follow, and are kept for `rest` of the same id. */
  readonly more: boolean
}

/** Named after the operation. */
export const beginName = (row: StreamingRow) => `begin.${row.name}`
export const restName = (row: StreamingRow) => `rest.${row.name}`
export const DROP = "drop"

/**
 * Client and daemon are one build, and MessagePack has bytes: requests and events cross as programs have them, not as JSON shows them. The
 * daemon checks what it is asked; what it answers is its own.
 */
const checkedByDaemon = (schema: () => PureSchema): PureSchema => {
  const check = lazy(() => ParseResult.decodeUnknown(schema()))
  return Schema.transformOrFail(Schema.Any, Schema.Any, {
    decode: (asked) => check()(asked),
    encode: ParseResult.succeed
  })
}

const beginOf = (row: StreamingRow) =>
  Rpc.make(beginName(row), {
    payload: checkedByDaemon(() =>
      Schema.Struct({ id: RequestId, request: Schema.typeSchema(row.payload() as PureSchema) })
    ),
    success: Schema.Any,
    error: RequestError
  })

const restOf = (row: StreamingRow) =>
  Rpc.make(restName(row), {
    payload: Schema.Struct({ id: RequestId }),
    success: Schema.Any,
    error: RequestError,
    stream: true
  })

/**
 * Operations with events in two steps. Most are over in no time, and a stream of three events costs as much as a short command: the
 * first request is answered when the operation has ended, or is told to take a while.
 */
export const makeBeginRpcs = () =>
  RpcGroup.make(
    ...streamingRows.map(beginOf),
    ...streamingRows.map(restOf),
    /** Whoever began it does not want the rest. */
    Rpc.make(DROP, { payload: Schema.Struct({ id: RequestId }) })
  )
