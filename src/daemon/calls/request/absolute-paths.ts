import { Effect } from "effect"
import { InvalidRequest } from "../../../contract/errors/errors.ts"
import type { CliSurface } from "../../../contract/rows/operation.ts"
import type { Operation } from "../../../contract/rows/operations.ts"
import { hasAbsolutePath } from "../../../contract/text/image-archive.ts"
import { snakeCase } from "../../../contract/text/snake.ts"
import type { Wrap } from "../wrap.ts"
import type { RequestCall } from "./request.ts"

const hostPathsOf = ({ cli }: Operation) => {
  const { hostPaths = [], imageSources = [] }: CliSurface = cli
  return { hostPaths, imageSources }
}

/** The refusal of a path that is not absolute. `-` is no path. */
const refusalOf = ({ hostPaths, imageSources }: ReturnType<typeof hostPathsOf>, payload: object) => {
  for (const [name, value] of Object.entries(payload)) {
    const field = snakeCase(name)
    if (!hostPaths.includes(field) || typeof value !== "string" || value === "-" || value.startsWith("/")) continue
    if (imageSources.includes(field) && hasAbsolutePath(value)) continue
    return new InvalidRequest({
      field,
      detail: "must be an absolute path of the host: the daemon is in no directory of yours"
    })
  }
  return undefined
}

/**
 * Refuses a path of the host that is not absolute: the caller means its own directory, and the daemon's working directory is /.
 *
 * Needs nothing. Stands around the work of requests alone: callers in this process have its working directory.
 */
export const absolutePaths: Wrap<RequestCall> = {
  name: "absolute paths",
  does: "refuses a relative path of the host",
  because: "around requests alone: a caller in this process has the same working directory",
  concerns: (row) => hostPathsOf(row).hostPaths.length > 0,
  around: (row, call) => {
    const paths = hostPathsOf(row)
    return (payload, request) => Effect.suspend(() => refusalOf(paths, payload as object) ?? call(payload, request))
  }
}
