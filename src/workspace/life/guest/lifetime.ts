import { Effect } from "effect"
import { InvalidRequest } from "../../../contract/errors/errors.ts"
import { callerProject } from "../../../contract/wire/caller-project.ts"

/** Minimum seconds without a use after which a workspace of a model expires. */
const LEAST_TTL_OF_MODEL = 3_600

const refuse = (detail: string) => new InvalidRequest({ field: "ttl_seconds", detail })

/**
 * Fails if a model asks for a time to live that could delete work before its export. An agent host runs the tools that make and change workspaces without
 * a question, and asks before a deletion. `present`: the seconds of an existing workspace, or none if it never expires.
 */
export const demandLifetime = (
  ttlSeconds: number | undefined,
  existing?: { readonly present: number | undefined }
): Effect.Effect<void, InvalidRequest> =>
  Effect.flatMap(callerProject, (caller) => {
    if (caller === undefined || ttlSeconds === undefined || ttlSeconds === 0) return Effect.void
    if (existing !== undefined && (existing.present === undefined || ttlSeconds < existing.present)) {
      return refuse(
        `the workspace would expire sooner than now (${
          existing.present === undefined ? "never" : `after ${existing.present} s`
        }), with all that nobody exported. A model can only prolong this time. Export the work, and delete the workspace`
      )
    }
    return existing === undefined && ttlSeconds < LEAST_TTL_OF_MODEL
      ? refuse(`a workspace of a model lives at least ${LEAST_TTL_OF_MODEL} s without a use`)
      : Effect.void
  })
