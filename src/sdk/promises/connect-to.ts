import { Effect, type Layer, ManagedRuntime, Option, Result } from "effect"
import { DaemonUnavailable, type PyroError } from "../../contract/errors/errors.ts"
import type { Pyro } from "../../contract/rows/Pyro.ts"
import { create, get, list, open, saved } from "../handle/client.ts"
import type { PyroClient } from "./client.ts"
import type { Cancel } from "./common.ts"
import { callsOf } from "./promised.ts"
import { rejecting } from "./rejection.ts"
import type { Run } from "./run.ts"
import type { Workspace } from "./workspace.ts"

/** pyro for programs over any layer: behind the daemon or in this process. */
export const connectTo = (layer: Layer.Layer<Pyro, PyroError>): PyroClient => {
  const runtime = ManagedRuntime.make(layer)
  let isClosed = false
  const closed = Effect.result(Effect.fail(new DaemonUnavailable({ detail: "this client was closed; connect again" })))
  const run: Run = (name, work, signal) =>
    (isClosed ? Effect.runPromise(closed) : runtime.runPromise(Effect.result(work), signal && { signal }))
      .then((result) => {
        if (Result.isFailure(result)) throw result.failure
        return result.success
      })
      .catch(rejecting({ name }, signal))
  const call = callsOf(run)
  const close = async () => {
    isClosed = true
    await runtime.dispose()
  }
  return {
    create: (options) => call<Workspace>("create", create(withoutSignal(options)), options),
    get: (nameOrId, options) => call<Workspace | null>("get", get(nameOrId), options),
    open: (name, options) => call<Workspace>("open", open(name, withoutSignal(options)), options),
    list: (options) => call<ReadonlyArray<Workspace>>("list", list(withoutSignal(options)), options),
    saved: {
      list: (options) => run("saved.list", saved.list(), options?.signal),
      get: (name, options) => run("saved.get", Effect.map(saved.get(name), Option.getOrNull), options?.signal),
      delete: (name, options) => run("saved.delete", saved.delete(name), options?.signal)
    },
    close,
    [Symbol.asyncDispose]: close
  }
}

const withoutSignal = <Options extends Cancel>(options: Options | undefined): Omit<Options, "signal"> => {
  const { signal: _, ...rest } = options ?? ({} as Options)
  return rest
}
