import { Effect, Stream } from "effect"
import type { Operation } from "../../../src/contract/rows/operations.ts"
import { mapCalls } from "../../../src/contract/rows/Pyro.ts"

const why = (name: string) => `${name} is no part of this test`

const callOf = (row: Operation) => () => row.kind === "unary" ? Effect.die(why(row.name)) : Stream.die(why(row.name))

/** Every operation, to be overridden where a test has one: the others end the test. */
export const unfakedPyro = mapCalls(callOf)
