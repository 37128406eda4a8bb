import type { Effect } from "effect"
import type { PyroError } from "../../contract/errors/errors.ts"
import type { Pyro } from "../../contract/rows/Pyro.ts"

/**
 * Runs the work of a call, whose name the stack of its rejection has. An abort of the signal interrupts the work, and the promise rejects
 * with the signal's reason.
 */
export type Run = <A>(name: string, work: Effect.Effect<A, PyroError, Pyro>, signal?: AbortSignal) => Promise<A>
