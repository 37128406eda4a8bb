import { Effect } from "effect"
import * as path from "node:path"
import { callerProject, projectHeaders } from "../contract/wire/caller-project.ts"
import { Paths } from "../system/files/Paths.ts"
import { nameOfProject } from "./files/project.ts"

/** The headers of a request to another machine: the project of its caller has a name there, and directories stay here. */
export const foreignHeaders: Effect.Effect<Readonly<Record<string, string>>> = Effect.gen(function*() {
  const caller = yield* callerProject
  if (caller === undefined) return yield* projectHeaders
  // Without the key of the client, the caller has no project there, and reaches none.
  const project = path.isAbsolute(caller.project)
    ? yield* nameOfProject(caller.project).pipe(Effect.provide(Paths.layer), Effect.orElseSucceed(() => "/unknown"))
    : caller.project
  return yield* Effect.provideService(projectHeaders, callerProject, { ...caller, project, places: undefined })
})
