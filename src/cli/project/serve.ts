import { Effect } from "effect"
import type { InvalidRequest } from "../../contract/errors/errors.ts"
import type { ProjectOptions } from "../../sdk/project-directories.ts"
import { bindProject, type Project } from "../../sdk/project.ts"

/** A project with the defaults of its file, and a sentence about the unused parts of the file. */
interface Bound {
  readonly project: Project
  readonly note: string | undefined
}

/** Binds a project with the defaults of its file. Options of the command line win. */
export const bindWithFile = (options: ProjectOptions): Effect.Effect<Bound, InvalidRequest> =>
  Effect.gen(function*() {
    const project = yield* Effect.fromResult(bindProject(options))
    if (project.path === undefined || options.repoUrl !== undefined) return { project, note: undefined }
    const { defaultsOf } = yield* Effect.promise(() => import("../../project/defaults.ts"))
    const { defaults, note } = yield* defaultsOf(project.path)
    return { project: yield* Effect.fromResult(bindProject({ ...defaults, ...given(options) })), note }
  })

/** The options without empty ones. Secrets of the command line take the place of all of the file's. */
const given = (options: ProjectOptions): ProjectOptions => {
  const { includeIgnored = [], secretCommands, secretHttp, secrets, ...others } = options
  return {
    ...others,
    ...(includeIgnored.length === 0 ? {} : { includeIgnored }),
    ...(secrets === undefined ? {} : { secrets, secretHttp: secretHttp ?? [], secretCommands: secretCommands ?? [] })
  }
}
