import type { Server } from "@modelcontextprotocol/server"
import { Effect, Schema } from "effect"
import { firstProjectOf } from "../sdk/project-directories.ts"
import type { Project } from "../sdk/project.ts"

/** A project that is bound to a directory, by its real path. */
export type BindRoot = (directory: string) => Promise<Project | undefined>

/** Maximum roots of a client, and maximum length of their URIs: a path of 4,096 bytes, escaped. */
const MAX_ROOTS = 32
const MAX_URI_CHARACTERS = 16_384

/** Maximum wait of the first call for the client's roots, in ms. */
const MAX_WAIT_MS = 10_000

/** An answer without checks of its roots: the SDK's own schema refuses a whole list for one root that is no file. */
const RootsAnswer = Schema.toStandardSchemaV1(Schema.Struct({ roots: Schema.Array(Schema.Unknown) }))

const uriOf = (root: unknown): ReadonlyArray<string> => {
  const { uri } = (root ?? {}) as { readonly uri?: unknown }
  return typeof uri === "string" && uri.length <= MAX_URI_CHARACTERS ? [uri] : []
}

/**
 * The project of a connection. If it awaits a root, the first call asks the client once, and the answer holds for the connection:
 * workspaces belong to a project, and a model reaches those of its project only. Without a root that can be a project, the project stays
 * as it is. The revision without `initialize` has no such request.
 */
export const boundProject = (
  server: Server,
  project: Project,
  bindRoot: BindRoot = () => Promise.resolve(undefined)
): Effect.Effect<Project> => {
  const ask = async (): Promise<Project> => {
    if (server.getClientCapabilities()?.roots === undefined) return project
    const options = { timeout: MAX_WAIT_MS }
    const answer = await server.request({ method: "roots/list" }, RootsAnswer, options).catch(() => undefined)
    const directory = answer === undefined ? undefined : firstProjectOf(answer.roots.slice(0, MAX_ROOTS).flatMap(uriOf))
    return (directory === undefined ? undefined : await bindRoot(directory)) ?? project
  }
  let asked: Promise<Project> | undefined
  return project.awaitsRoot === true ? Effect.promise(() => asked ??= ask()) : Effect.succeed(project)
}
