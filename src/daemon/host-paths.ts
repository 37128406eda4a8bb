import { Effect } from "effect"
import { InvalidRequest } from "../contract/errors/errors.ts"
import type { CliSurface } from "../contract/rows/operation.ts"
import type { Operation } from "../contract/rows/operations.ts"
import { snakeCase } from "../contract/text/snake.ts"

/**
 * Fails where a request names a path of the host that is not absolute: whoever asks means a folder of their own, and the daemon's working
 * directory is the host's root. `-` is no path.
 */
export const demandAbsolutePaths = (row: Operation): (payload: unknown) => Effect.Effect<void, InvalidRequest> => {
  const { hostPaths = [] }: CliSurface = row.cli
  if (hostPaths.length === 0) return () => Effect.void
  return (payload) =>
    Effect.suspend(() => {
      for (const [name, value] of Object.entries(payload as object)) {
        const field = snakeCase(name)
        if (!hostPaths.includes(field) || typeof value !== "string" || value === "-" || value.startsWith("/")) continue
        return new InvalidRequest({
          field,
          detail: "must be an absolute path of the host: the daemon is in no directory of yours"
        })
      }
      return Effect.void
    })
}
