import { Effect } from "effect"
import { InvalidRequest, type PyroError } from "../../contract/errors/errors.ts"
import type { CliSurface } from "../../contract/rows/operation.ts"
import type { Operation } from "../../contract/rows/operations.ts"
import type { PyroService } from "../../contract/rows/Pyro.ts"
import { snakeCase } from "../../contract/text/snake.ts"
import type { CallerPlaces } from "../../contract/wire/caller-project.ts"

const none: CallerPlaces = { reading: [], writing: [] }

/** The row whose path of the host a page may name. */
const EXPORT = "workspace.export"

/**
 * Directories of the host that a request of a page may reach: an export writes beneath the project of its workspace, and nothing else reaches
 * the host. A script that gets into the page could otherwise do with the host's files what the person can.
 */
export const pagePlaces =
  (pyro: Pick<PyroService, "workspace">) =>
  ({ cli, name }: Operation, payload: unknown): Effect.Effect<CallerPlaces, PyroError> => {
    const { hostPaths = [] }: CliSurface = cli
    if (hostPaths.length === 0) return Effect.succeed(none)
    if (name === EXPORT) {
      const { output, workspace } = payload as { readonly output?: string; readonly workspace: string }
      if (output?.split("/").includes("..") === true) return Effect.succeed(none)
      return Effect.map(
        pyro.workspace.status({ workspace }),
        ({ project }) => project?.startsWith("/") === true ? { reading: [], writing: [project] } : none
      )
    }
    const given = Object.entries(payload as object)
      .find(([field, value]) => hostPaths.includes(snakeCase(field)) && value !== undefined && value !== "-")
    return given === undefined
      ? Effect.succeed(none)
      : new InvalidRequest({
        field: snakeCase(given[0]),
        detail: "a page cannot name a path of the host; use the command line"
      })
  }
