import { Context, Effect } from "effect"
import { Paths } from "../../system/files/Paths.ts"

/** State directory of a connection that names one. Undefined: that of the environment. */
export const StateDirectory = Context.Reference<string | undefined>("pyro/sdk/StateDirectory", {
  defaultValue: () => undefined
})

/** Gives work the directories of the connection. */
export const inStateDirectory = <A, E, R>(work: Effect.Effect<A, E, R>) =>
  Effect.flatMap(
    StateDirectory,
    (directory) => Effect.provide(work, directory === undefined ? Paths.layer : Paths.layerIn(directory))
  )
