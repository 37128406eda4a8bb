import { isOfRecipes } from "../../../building/calls.ts"
import type { Wrap } from "../wrap.ts"
import type { AnyCall, Process } from "./call.ts"

/**
 * A workspace of a devcontainer.json or a Dockerfile is made by a build first, and runs its lifecycle commands after create, start and reset.
 *
 * Needs the calls of `building`, which use the call inside for the workspace itself. Stands outside of the lines around work: a build lasts
 * minutes and has no workspace to find, wake or lock.
 */
export const recipes: Wrap<AnyCall, Pick<Process, "ofRecipes">> = {
  name: "dev container",
  does: "builds a dev container or Dockerfile before create, and runs its commands after create, start and reset",
  because: "outside of the workspace's lock, because its commands are calls on the same workspace",
  concerns: isOfRecipes,
  around: (row, call, { ofRecipes }) => ofRecipes(row, call)
}
