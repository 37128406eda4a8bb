import { Effect, Stream } from "effect"
import { type OperationName, type OperationOf, operations } from "../../src/contract/operations.ts"
import type { PyroService } from "../../src/contract/Pyro.ts"
import { nested } from "../../src/sdk/nested.ts"

type Handlers = {
  readonly [Name in OperationName]: OperationOf<Name> extends { readonly kind: "streaming" }
    ? () => Stream.Stream<never>
    : () => Effect.Effect<never>
}

const why = (name: string) => `${name} is no part of this test`

const callOf = (row: (typeof operations)[number]) => () =>
  row.kind === "unary" ? Effect.die(why(row.name)) : Stream.die(why(row.name))

/** Every operation by its name, to be overridden where a test has one: the others end the test. */
export const unfakedHandlers = Object.fromEntries(
  operations.map((row) => [row.name, callOf(row)])
) as unknown as Handlers

/** The same as a service. */
export const unfakedPyro = nested(callOf) as PyroService
