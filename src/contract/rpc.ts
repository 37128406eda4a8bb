import * as Rpc from "@effect/rpc/Rpc"
import * as RpcGroup from "@effect/rpc/RpcGroup"
import type { Stream } from "@effect/rpc/RpcSchema"
import { Schema } from "effect"
import { PyroError } from "./errors.ts"
import type { PureSchema } from "./operation.ts"
import { type Operation, operations } from "./operations.ts"

/** The RPC of a row: its name, its payload, and its result or its stream of events. */
export type RpcOf<Row extends Operation> = Row extends { readonly kind: "streaming"; readonly event: () => infer Event }
  ? Rpc.Rpc<Row["name"], ReturnType<Row["payload"]>, Stream<Extract<Event, PureSchema>, typeof PyroError>>
  : Rpc.Rpc<Row["name"], ReturnType<Row["payload"]>, ReturnType<Row["result"]>, typeof PyroError>

/** A Schema that is built when it is first used: a client calls one row or two of them all. */
const suspended = (schema: () => PureSchema): PureSchema => Schema.suspend(schema)

const rpcOf = (row: Operation) =>
  Rpc.make(row.name, {
    payload: suspended(row.payload),
    success: suspended(row.kind === "streaming" ? row.event : row.result),
    error: PyroError,
    stream: row.kind === "streaming"
  } as { readonly payload: PureSchema; readonly success: PureSchema; readonly error: typeof PyroError })

/** Every operation as one group, for a server and its clients. */
export const makePyroRpcs = () =>
  RpcGroup.make(...operations.map(rpcOf)) as unknown as RpcGroup.RpcGroup<
    { readonly [Name in Operation["name"]]: RpcOf<Extract<Operation, { readonly name: Name }>> }[Operation["name"]]
  >
