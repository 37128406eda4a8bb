import { Effect } from "effect"
import { InvalidRequest } from "../../contract/errors/errors.ts"
import type { ExportPayload } from "../../contract/rows/workspace-export.ts"

/** Fails for options that do not go together. */
export const demandFitting = (
  { apply, ask, check, includeIgnored, output, overwrite, patch, preserveTimes }: ExportPayload
): Effect.Effect<void, InvalidRequest> => {
  const invalid = (field: string, detail: string) => Effect.fail(new InvalidRequest({ field, detail }))
  if (ask && output === "-") return invalid("ask", "does not go with the standard output")
  if (apply && patch) {
    return invalid("apply", "does not go with a patch: one makes the changes, the other writes them down")
  }
  if (apply && overwrite) {
    return invalid("overwrite", "does not go with an apply, which never replaces what is not as seeded")
  }
  if (preserveTimes && (apply || patch)) {
    return invalid(
      "preserve_times",
      `does not go with ${apply ? "an apply" : "a patch"}, which has changes, and no files`
    )
  }
  if (includeIgnored && !apply && !patch) {
    return invalid("include_ignored", "goes with a patch or an apply: an export of files has ignored ones anyway")
  }
  if (check && !apply) return invalid("check", "goes with an apply only")
  return output === undefined && !apply ? invalid("output", "is missing") : Effect.void
}
