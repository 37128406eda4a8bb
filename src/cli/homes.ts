import { Effect, Layer, Option } from "effect"
import type { PyroError } from "../contract/errors/errors.ts"
import type { Operation } from "../contract/rows/operations.ts"
import { callOf, mapCalls, Pyro } from "../contract/rows/Pyro.ts"
import { parseArchive } from "../contract/text/image-archive.ts"
import { parseReference } from "../contract/text/image-reference.ts"
import { daemonCommand } from "../sdk/daemon-command.ts"
import type { StartDaemon } from "../sdk/model/start-daemon.ts"
import type { StartedExec } from "../sdk/model/started-exec.ts"
import { runsMicroVms } from "../system/settings/this-computer.ts"
import { mayConnect, withStaleWarnings } from "./perform/stale-daemon.ts"

/** The layer that works in this process. Loaded on first use, because help and usage errors need none. */
const LazyLocal: Layer.Layer<Pyro, PyroError> = Layer.unwrap(
  Effect.map(Effect.promise(() => import("../daemon/layer.ts")), ({ layer }) => layer)
)

/** How this program's daemon is started. */
export const daemonOf = (build: string): StartDaemon => ({
  version: build,
  command: daemonCommand(process.argv[1] ?? "")
})

/** Asks a running daemon. This process does the work if none answers. */
const layerObserver = (operation: Operation, build: string): Layer.Layer<Pyro, PyroError> =>
  Layer.effect(
    Pyro,
    Effect.promise(async () => {
      const { askRunning } = await import("../sdk/client.ts")
      const here = (payload: unknown) =>
        Effect.flatMap(Pyro, (pyro) => callOf(pyro, operation)(payload) as Effect.Effect<unknown, PyroError>).pipe(
          Effect.provide(LazyLocal)
        )
      const call = (payload: unknown) =>
        Effect.flatMap(
          askRunning(build, operation.name, payload),
          Option.match({ onNone: () => here(payload), onSome: Effect.succeed })
        )
      return mapCalls(() => call)
    })
  )

/** A builder is a workspace: an operation that may pull an image needs the owner of workspaces. */
const homeOf = ({ home = "host", name }: Operation, payload: unknown): Operation["home"] => {
  const { environment } = (payload ?? {}) as { readonly environment?: unknown }
  const isOfImage = typeof environment === "string" &&
    (parseReference(environment) ?? parseArchive(environment)) !== undefined
  return isOfImage && (name === "env.pull" || name === "run") ? "daemon" : home
}

/** Whether a person sits at the terminal of this process. */
const mayAsk = process.stdin.isTTY && process.stderr.isTTY

/** Pyro on the machine that the command line, the environment or the person has chosen. `here`: if it is this one. */
export const layerChosen = (
  context: string | undefined,
  build: string,
  here: () => Layer.Layer<Pyro, PyroError>
): Layer.Layer<Pyro, PyroError> =>
  Layer.unwrap(Effect.gen(function*() {
    const { chosenContext } = yield* Effect.promise(() => import("../remote/contexts.ts"))
    const chosen = yield* chosenContext(context)
    if (chosen === undefined && !runsMicroVms()) {
      return (yield* Effect.promise(() => import("../sdk/unreached.ts"))).layerNoMicroVms
    }
    if (chosen === undefined) return here()
    const { layerContext } = yield* Effect.promise(() => import("../sdk/remote.ts"))
    return layerContext(chosen, { version: build, mayAsk })
  }))

/** Pyro for one operation: the daemon owns workspaces, and this process does work on the host itself. */
export const layerFor = (
  operation: Operation,
  build: string,
  started: StartedExec | undefined,
  payload?: unknown
): Layer.Layer<Pyro, PyroError> => {
  const home = homeOf(operation, payload)
  if (home === "host") return LazyLocal
  if (home === "observer") return layerObserver(operation, build)
  return Layer.unwrap(Effect.gen(function*() {
    const { daemonRuns, layerDaemon } = yield* Effect.promise(() => import("../sdk/client.ts"))
    if (home === "daemon-if-running" && !(yield* daemonRuns(build))) return LazyLocal
    const daemon = layerDaemon(daemonOf(build), started)
    return mayConnect(operation)
      ? Layer.effect(Pyro, Effect.map(Pyro, (pyro) => withStaleWarnings(pyro, build))).pipe(Layer.provide(daemon))
      : daemon
  }))
}
