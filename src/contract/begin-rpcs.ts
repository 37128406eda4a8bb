import * as Rpc from "@effect/rpc/Rpc"
import * as RpcGroup from "@effect/rpc/RpcGroup"
import { Schema } from "effect"
import { RequestError } from "./daemon-leaves.ts"
import { RequestId } from "./input-rpcs.ts"
import type { PureSchema } from "./operation.ts"
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

// Suspended: a client uses one row or two; and a bare Struct is validated by the client before it is encoded.
const beginOf = (row: StreamingRow) =>
  Rpc.make(beginName(row), {
    payload: Schema.suspend(() => Schema.Struct({ id: RequestId, request: row.payload() as PureSchema })) as PureSchema,
    success: Schema.Struct({
      events: Schema.Array(Schema.suspend(() => row.event() as PureSchema)),
      more: Schema.Boolean
    }),
    error: RequestError
  })

const restOf = (row: StreamingRow) =>
  Rpc.make(restName(row), {
    payload: Schema.Struct({ id: RequestId }),
    success: Schema.suspend(() => row.event() as PureSchema),
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
