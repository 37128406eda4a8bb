import { InvalidRequest } from "../../contract/errors/errors.ts"
import type { CliSurface } from "../../contract/rows/operation.ts"
import type { Operation } from "../../contract/rows/operations.ts"
import { parseArchive } from "../../contract/text/image-archive.ts"
import { snakeCase } from "../../contract/text/snake.ts"
import { spoolIdOf } from "../../contract/wire/spool.ts"

/** A path of this machine, and not `-` or files that were sent. */
const isGiven = (value: unknown) =>
  value !== undefined && value !== "-" &&
  (typeof value !== "string" || spoolIdOf(value.split("/", 1)[0]!) === undefined)

const isArchive = (value: unknown) => {
  const archive = typeof value === "string" ? parseArchive(value) : undefined
  return archive !== undefined && spoolIdOf(archive.path.replace(/^@/, "spool:")) === undefined
}

/** The fields of a payload that name files of the caller's machine. */
const pathsIn = ({ cli }: Operation, payload: object): ReadonlyArray<string> => {
  const { hostPaths = [], imageSources = [] }: CliSurface = cli
  return Object.entries(payload).flatMap(([name, value]) => {
    const field = snakeCase(name)
    // A row may take both a path and an archive.
    return imageSources.includes(field) && typeof value === "string" && parseArchive(value) !== undefined
      ? isArchive(value) ? [field] : []
      : hostPaths.includes(field) && isGiven(value)
      ? [field]
      : []
  })
}

/**
 * The refusal of a request that names a path of this machine: the daemon of another one must never see it, and would read or write a file of its own.
 */
export const refusedPath = (row: Operation, payload: unknown, where: string): InvalidRequest | undefined => {
  const [field] = pathsIn(row, (payload ?? {}) as object)
  return field === undefined ? undefined : new InvalidRequest({
    field,
    detail:
      `it names a path of this computer, and the workspaces are those of ${where}: pyro does not carry it there yet`
  })
}
