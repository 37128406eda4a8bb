import type { PyroError } from "../../contract/errors.ts"
import { setFailed } from "./context.ts"
import type { Transition } from "./description.ts"
import type { Entry } from "./entry.ts"
import type { Generation } from "./generation.ts"

/** The end of a VM that nobody asked for. The record still names the VM: the next process finds it dead, and comes to the same. */
export const death = (entry: Entry, generation: Generation, failure: PyroError): Transition => ({
  name: "died",
  entry,
  taken: generation,
  handOver: () => setFailed(entry, failure),
  lose: failure
})
