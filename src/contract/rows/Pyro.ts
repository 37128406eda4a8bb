import { Context, type Effect, type Stream } from "effect"
import { named } from "../text/names.ts"
import type { PullOperation } from "./event-batches.ts"
import {
  type ErrorOf,
  type EventOf,
  type Operation,
  type OperationName,
  type OperationOf,
  operations,
  type PayloadOf,
  type ResultOf
} from "./operations.ts"
import type { RunInput } from "./run-input.ts"

/** Operations with input while they run. */
export type WithInput =
  | "run"
  | "workspace.exec"
  | "workspace.shell.attach"
  | "workspace.file.upload"
  | "workspace.ssh.proxy"
  | "workspace.ssh.agent"
  | "env.import"
  | "spool.put"

type Inputs<Name extends OperationName> = Name extends WithInput ? [input?: RunInput] : []

/** How an operation with events is called. */
interface NamedStreamingCall<Name extends OperationName> {
  (payload: PayloadOf<Name>, ...input: Inputs<Name>): Stream.Stream<EventOf<Name>, ErrorOf<Name>>
  readonly pull?: PullOperation<EventOf<Name>, PayloadOf<Name>, ErrorOf<Name>>
}

/** How one operation is called: an Effect of the result, or a Stream of events whose interruption ends the work. */
type Call<Name extends OperationName> = OperationOf<Name> extends { readonly kind: "streaming" }
  ? NamedStreamingCall<Name>
  : (payload: PayloadOf<Name>) => Effect.Effect<ResultOf<Name>, ErrorOf<Name>>

/** A name up to its first dot, and what follows. */
type Head<Name extends string> = Name extends `${infer First}.${string}` ? First : Name
type Tail<Name extends string, First extends string> = Name extends `${First}.${infer Rest}` ? Rest : never

/** The calls of an API by the operations' names: `workspace.file.list` is `api.workspace.file.list`. */
export type Nested<
  All extends { readonly [Name in OperationName]: unknown },
  Name extends string = OperationName,
  Prefix extends string = ""
> = {
  readonly [First in Head<Name>]: `${Prefix}${First}` extends OperationName ? All[`${Prefix}${First}`]
    : Nested<All, Tail<Name, First>, `${Prefix}${First}.`>
}

export type PyroService = Nested<{ readonly [Name in OperationName]: Call<Name> }>

/** All operations of pyro, in this process or through a socket. */
export class Pyro extends Context.Service<Pyro, PyroService>()("pyro/contract/Pyro") {}

/** The call of an operation, by its row. */
export const callOf = (pyro: PyroService, operation: Operation) => {
  let at: unknown = pyro
  for (const word of operation.name.split(".")) at = (at as Record<string, unknown>)[word]
  return at as (payload: unknown, input?: RunInput) => unknown
}

/** Makes a call for every row of the table. */
export const nested = (make: (row: Operation) => unknown): unknown => {
  const root = named<unknown>([])
  for (const row of operations) {
    const words = row.name.split(".")
    let at = root
    for (const word of words.slice(0, -1)) at = (at[word] ??= named([])) as Record<string, unknown>
    at[words.at(-1)!] = make(row)
  }
  return root
}

/** A service with the call that `make` gives for each operation. */
export const mapCalls = (make: (row: Operation) => unknown): PyroService => nested(make) as PyroService
