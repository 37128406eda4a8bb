import type { PyroError } from "../../contract/errors.ts"
import { setFailed } from "./context.ts"
import type { Transition } from "./description.ts"
import type { Entry } from "./entry.ts"
import type { Generation } from "./generation.ts"

/**
 * The end of a VM that no request caused. The record still names the VM: the next process finds the VM dead, and reaches the same
 * state.
 */
export const death = (entry: Entry, generation: Generation, failure: PyroError): Transition => ({
  name: "died",
  entry,
  taken: generation,
  handOver: () => setFailed(entry, failure),
  lose: failure
})
