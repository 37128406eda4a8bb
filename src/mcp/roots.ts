import type { Server } from "@modelcontextprotocol/server"
import { Effect, Schema } from "effect"
import { firstProjectOf } from "../sdk/project-directories.ts"
import type { Project } from "../sdk/project.ts"

/** A project that is bound to a directory, by its real path. */
export type BindRoot = (directory: string) => Project | undefined

/** Roots of a client that are looked at, and the longest URI among them: a path of 4,096 bytes, escaped. */
const MAX_ROOTS = 32
const MAX_URI_CHARACTERS = 16_384

/** Longest that the first call waits for the client's roots, in ms. */
const MAX_WAIT_MS = 10_000

/** An answer as it came. The SDK's own schema refuses a whole list for one root that is no file. */
const RootsAnswer = Schema.toStandardSchemaV1(Schema.Struct({ roots: Schema.Array(Schema.Unknown) }))

const uriOf = (root: unknown): ReadonlyArray<string> => {
  const { uri } = (root ?? {}) as { readonly uri?: unknown }
  return typeof uri === "string" && uri.length <= MAX_URI_CHARACTERS ? [uri] : []
}

/**
 * The project of a connection. One that awaits a root is decided at the first call, by one question to the client, and never changes
 * afterwards: workspaces belong to a project, and a model reaches those of its project only. A client that offers no roots, or answers
 * with none that can be a project, leaves the project as it is. The revision without `initialize` has no such question.
 */
export const boundProject = (
  server: Server,
  project: Project,
  bindRoot: BindRoot = () => undefined
): Effect.Effect<Project> => {
  const ask = async (): Promise<Project> => {
    if (server.getClientCapabilities()?.roots === undefined) return project
    const options = { timeout: MAX_WAIT_MS }
    const answer = await server.request({ method: "roots/list" }, RootsAnswer, options).catch(() => undefined)
    const directory = answer === undefined ? undefined : firstProjectOf(answer.roots.slice(0, MAX_ROOTS).flatMap(uriOf))
    return (directory === undefined ? undefined : bindRoot(directory)) ?? project
  }
  let asked: Promise<Project> | undefined
  return project.awaitsRoot === true ? Effect.promise(() => asked ??= ask()) : Effect.succeed(project)
}
