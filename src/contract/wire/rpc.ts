import { Schema } from "effect"
import * as Rpc from "effect/rpc/Rpc"
import * as RpcGroup from "effect/rpc/RpcGroup"
import type { PureSchema } from "../rows/operation.ts"
import { type Operation, operations } from "../rows/operations.ts"
import { RequestError } from "./daemon-leaves.ts"
import { makeEventRpcs } from "./event-rpcs.ts"
import { InputRpcs } from "./input-rpcs.ts"
import { ReportRpcs } from "./unreadable.ts"

export type UnaryRow = Extract<Operation, { readonly kind: "unary" }>

/** Operations that are one request and one answer. */
export const unaryRows = operations.filter((row): row is UnaryRow => row.kind === "unary")

type RpcOf<Row extends UnaryRow> = Row extends UnaryRow
  ? Rpc.Rpc<Row["name"], ReturnType<Row["payload"]>, ReturnType<Row["result"]>, typeof RequestError>
  : never

/** A Schema that is built when it is first used: a client calls one row or two of them all. */
const suspended = (schema: () => PureSchema): PureSchema => Schema.suspend(schema)

const rpcOf = (row: UnaryRow) =>
  Rpc.make(row.name, { payload: suspended(row.payload), success: suspended(row.result), error: RequestError })

const makeUnaryRpcs = () => RpcGroup.make(...unaryRows.map(rpcOf)) as unknown as RpcGroup.RpcGroup<RpcOf<UnaryRow>>

/** Every operation as one group, for a server and its clients: those with events as a first batch and a rest, and the input of commands. */
export const makePyroRpcs = () => makeUnaryRpcs().merge(makeEventRpcs(), InputRpcs, ReportRpcs)
