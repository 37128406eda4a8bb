import { type PyroError } from "../../contract/errors/errors.ts"
import { setFailed } from "../entry/context.ts"
import type { Entry, Generation } from "../entry/entry.ts"
import type { NewEvent } from "../entry/events.ts"
import type { Transition } from "./description.ts"

/** Longest reason that the event log keeps, in characters: the console of the guest is a part. */
const MAX_CHARACTERS = 8_192

/** The event of a VM's end. */
export const diedOf = (failure: PyroError): NewEvent => ({
  _tag: "died",
  detail: failure.fact.slice(0, MAX_CHARACTERS)
})

/**
 * The end of a VM that no request caused. The record still names the VM: the next process finds the VM dead, and reaches the same
 * state.
 */
export const death = (entry: Entry, generation: Generation, failure: PyroError): Transition => ({
  name: "died",
  entry,
  taken: generation,
  handOver: () => setFailed(entry, failure),
  lose: failure,
  event: diedOf(failure)
})
