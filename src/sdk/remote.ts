import { Effect, Layer, Stream } from "effect"
import { DaemonMismatch, type PyroError } from "../contract/errors/errors.ts"
import { command } from "../contract/errors/next-step.ts"
import { Pyro, type PyroService } from "../contract/rows/Pyro.ts"
import { olderOf, versionAlone } from "../contract/wire/versions.ts"
import { foreignHeaders } from "../remote/caller.ts"
import { carrying } from "../remote/carry.ts"
import type { RemoteContext } from "../remote/contexts.ts"
import { isDoorUrl } from "../remote/door-url.ts"
import { makeDoorOpen } from "../remote/open-door.ts"
import { makeOpen } from "../remote/open.ts"
import { Paths } from "../system/files/Paths.ts"
import { layerRemote } from "./client.ts"
import { refusedPath } from "./connection/own-paths.ts"
import { RemoteMachine } from "./model/remote-machine.ts"
import { doctorLine, unreached } from "./unreached.ts"

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

/** Name of the check of the way to a machine, in front of the checks of its `doctor`. */
const wayTo = ({ name }: RemoteContext) => `way to ${name}`

/** The same calls. `doctor` says first how the machine was reached. */
const withWay = (pyro: PyroService, context: RemoteContext, version: string): PyroService => ({
  ...pyro,
  doctor: (payload) =>
    Stream.concat(
      Stream.make(doctorLine(wayTo(context), { ok: true, found: `${context.url}, pyro ${version}` })),
      pyro.doctor(payload)
    )
})

/** Pyro on the machine of a context. Its calls fail with `ContextUnreachable` if there is no way to it. */
export const layerContext = (
  context: RemoteContext,
  { mayAsk, version }: Options
): Layer.Layer<Pyro, PyroError> => {
  const remote = Layer.unwrap(
    Effect.map(Paths, ({ stateDir }) => {
      const refuse = refusing(context, version)
      let running = ""
      const layer = layerRemote(
        isDoorUrl(context.url) ? makeDoorOpen(context) : makeOpen(context, { mayAsk, stateDir }),
        {
          refuse: (other) => refuse(running = other),
          refuseRequest: (row, payload) => refusedPath(row, payload, `context ${context.name}`),
          callerHeaders: foreignHeaders
        }
      )
      return Layer.effect(
        Pyro,
        Effect.map(Pyro, (pyro) => withWay(carrying(pyro, { context, stateDir }), context, running))
      ).pipe(Layer.provide(layer))
    })
  ).pipe(Layer.provide(Paths.layer))
  const reached = Layer.catch(remote, (error) => Layer.succeed(Pyro, unreached(wayTo(context), error)))
  return Layer.merge(reached, Layer.succeed(RemoteMachine, context.name))
}
