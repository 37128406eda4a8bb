import { Effect, Layer } from "effect"
import { DaemonMismatch, type PyroError } from "../contract/errors/errors.ts"
import { command } from "../contract/errors/next-step.ts"
import type { Pyro } from "../contract/rows/Pyro.ts"
import { olderOf, versionAlone } from "../contract/wire/versions.ts"
import type { RemoteContext } from "../remote/contexts.ts"
import { makeOpen } from "../remote/open.ts"
import { Paths } from "../system/files/Paths.ts"
import { layerRemote } from "./client.ts"
import { refusedPath } from "./connection/own-paths.ts"

/** The error for a machine whose pyro does not talk to this one. */
const refusing = ({ name }: RemoteContext, own: string) => (running: string): DaemonMismatch | undefined => {
  const older = olderOf(own, running)
  if (older === undefined) return undefined
  const next = older === "client"
    ? command("Update pyro on this computer", `npm install --global ./pyro-${versionAlone(running)}.tgz`)
    : command(
      "Update pyro there, in a terminal of that machine",
      `npm install --global ./pyro-${versionAlone(own)}.tgz`
    )
  return new DaemonMismatch({
    running,
    own,
    detail: `that of context ${name} is ${
      older === "client" ? "newer" : "older"
    }, and versions of two series do not talk`,
    next: [next]
  })
}

interface Options {
  /** The version of this program. */
  readonly version: string
  /** Whether ssh may ask the person on the terminal of this process. */
  readonly mayAsk: boolean
}

/** Pyro on the machine of a context. Its calls fail with `ContextUnreachable` if there is no way to it. */
export const layerContext = (
  context: RemoteContext,
  { mayAsk, version }: Options
): Layer.Layer<Pyro, PyroError> =>
  Layer.unwrap(
    Effect.map(Paths, ({ stateDir }) =>
      layerRemote(makeOpen(context, { mayAsk, stateDir }), {
        refuse: refusing(context, version),
        refuseRequest: (row, payload) => refusedPath(row, payload, `context ${context.name}`)
      })).pipe(Effect.provide(Paths.layer))
  )
