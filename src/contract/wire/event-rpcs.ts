import { Effect, Schema, SchemaGetter, SchemaParser } from "effect"
import * as Rpc from "effect/rpc/Rpc"
import * as RpcGroup from "effect/rpc/RpcGroup"
import { lazy, type PureSchema } from "../rows/operation.ts"
import { type Operation, operations } from "../rows/operations.ts"
import { secretsSchema } from "../rows/secret-fields.ts"
import { RequestError } from "./daemon-leaves.ts"
import { RequestId } from "./input-rpcs.ts"

export type StreamingRow = Extract<Operation, { readonly kind: "streaming" }>

/** Operations with events. Two requests serve each: `first` and `rest`. */
export const streamingRows = operations.filter((row): row is StreamingRow => row.kind === "streaming")

/** The answer to a `first` request: all events of the operation, or the first batch. */
export interface FirstBatch<Event> {
  readonly events: ReadonlyArray<Event>
  /** More events follow. The daemon keeps them for a `rest` request of the same id. */
  readonly more: boolean
}

const REST = "rest."

/** Names of the requests of an operation. */
export const firstName = (row: StreamingRow) => `first.${row.name}`
export const restName = (row: StreamingRow) => `${REST}${row.name}`
export const isRestName = (name: string) => name.startsWith(REST)
export const DROP = "drop"

/**
 * A value that crosses as the program has it. Client and daemon are one build and MessagePack has bytes, so the JSON side of the Schema
 * is not used. The receiver checks the value; the sender does not check its own.
 */
const checkedByReceiver = (schema: () => PureSchema): PureSchema => {
  const check = lazy(() => SchemaParser.decodeUnknownEffect(schema()))
  return Schema.Any.pipe(Schema.decodeTo(Schema.Any, {
    decode: SchemaGetter.transformEffect((received) => check()(received)),
    encode: SchemaGetter.passthrough()
  }))
}

type Request = Readonly<Record<string, unknown>>
interface NamedRequest {
  readonly id: string
  readonly request: Request
}

const secretsOf = (received: unknown): unknown =>
  (received as { readonly request?: { readonly secrets?: unknown } } | null)?.request?.secrets

/** The same for a request. The values of secrets cross as text: a program has them wrapped. */
const checkedRequest = (schema: () => PureSchema): PureSchema => {
  const check = lazy(() => SchemaParser.decodeUnknownEffect(schema()))
  const codec = lazy(() => secretsSchema(""))
  const withSecrets = (named: NamedRequest, secrets: unknown): NamedRequest => ({
    ...named,
    request: { ...named.request, secrets }
  })
  return Schema.Any.pipe(Schema.decodeTo(Schema.Any, {
    decode: SchemaGetter.transformEffect((received) => {
      const secrets = secretsOf(received)
      return secrets === undefined ? check()(received) : Effect.flatMap(
        SchemaParser.decodeUnknownEffect(codec())(secrets),
        (decoded) => check()(withSecrets(received as NamedRequest, decoded))
      )
    }),
    encode: SchemaGetter.transformEffect((named) => {
      const secrets = secretsOf(named)
      return secrets === undefined
        ? Effect.succeed(named)
        : Effect.map(
          SchemaParser.encodeUnknownEffect(codec())(secrets),
          (encoded) => withSecrets(named as NamedRequest, encoded)
        )
    })
  }))
}

/** An event of an operation, as the program has it. */
const eventOf = (row: StreamingRow): PureSchema => Schema.toType(row.event() as PureSchema)

const firstRpc = (row: StreamingRow) =>
  Rpc.make(firstName(row), {
    payload: checkedRequest(() =>
      Schema.Struct({ id: RequestId, request: Schema.toType(row.payload() as PureSchema) })
    ),
    success: checkedByReceiver(() => Schema.Struct({ events: Schema.Array(eventOf(row)), more: Schema.Boolean })),
    error: RequestError
  })

const checks = new WeakMap<StreamingRow, (received: unknown) => ReadonlyArray<unknown>>()

/** Checks events that crossed as the program has them. */
export const checkEvents = (row: StreamingRow) => {
  const check = checks.get(row) ?? Schema.decodeUnknownSync(Schema.Array(eventOf(row)))
  checks.set(row, check)
  return check
}

export const restRpc = (row: StreamingRow) =>
  Rpc.make(restName(row), {
    payload: Schema.Struct({ id: RequestId }),
    success: checkedByReceiver(() => eventOf(row)),
    error: RequestError,
    stream: true
  })

/**
 * The requests of the operations with events. Most operations end in no time, and a stream of three events costs as much as a short
 * command: so the daemon answers the first request when the operation has ended or turns out to take longer.
 */
export const makeEventRpcs = () =>
  RpcGroup.make(
    ...streamingRows.map(firstRpc),
    ...streamingRows.map(restRpc),
    /** Ends an operation whose caller does not want the rest. */
    Rpc.make(DROP, { payload: Schema.Struct({ id: RequestId }) })
  )
