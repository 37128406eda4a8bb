import { Effect } from "effect"
import { InvalidRequest } from "../../contract/errors/errors.ts"
import { Terminal } from "../terminal/Terminal.ts"

/** The git work tree of the working directory, else the directory. */
export const projectHere = Effect.gen(function*() {
  const { resolvePath } = yield* Terminal
  const { isProject, surroundings } = yield* Effect.promise(() => import("../../agent-host/surroundings.ts"))
  const { project } = surroundings(undefined, resolvePath("."))
  return isProject(project) ? project : yield* new InvalidRequest({
    field: "--seed-path",
    detail: `${project} is no project; go to the directory of one, or name one`
  })
})
