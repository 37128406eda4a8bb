import { Effect } from "effect"
import type { PyroError } from "../../contract/errors/errors.ts"
import { withWorkspace } from "../../contract/rows/next-steps.ts"
import { displayName, type Entry } from "./entry.ts"

/** Adds the workspace's name to an error, and to its steps. Guests and disks do not know the name. */
export const failNamed = (entry: Entry) => <E extends PyroError>(error: E) =>
  Effect.flatMap(displayName(entry), (name) => Effect.fail(withWorkspace(error, name, entry.id)))

/** Work whose error names the workspace. */
export const naming = (entry: Entry) => <A, E extends PyroError, R>(work: Effect.Effect<A, E, R>) =>
  Effect.catch(work, failNamed(entry))
