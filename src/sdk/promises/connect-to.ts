import { Effect, type Layer, ManagedRuntime, Result } from "effect"
import { DaemonUnavailable, type PyroError } from "../../contract/errors/errors.ts"
import type { Pyro } from "../../contract/rows/Pyro.ts"
import { client } from "../handle/client.ts"
import { endingSigns } from "../handle/signs.ts"
import type { PyroClient } from "./client.ts"
import { clientOf } from "./promised.ts"
import { rejecting } from "./rejection.ts"
import type { Run } from "./run.ts"

/** pyro for programs over any layer: through the daemon or in this process. */
export const connectTo = (layer: Layer.Layer<Pyro, PyroError>): PyroClient => {
  const runtime = ManagedRuntime.make(endingSigns(layer))
  let isClosed = false
  const closed = Effect.result(Effect.fail(new DaemonUnavailable({ detail: "this client was closed", closed: true })))
  const run: Run = (name, work, signal) =>
    (isClosed ? Effect.runPromise(closed) : runtime.runPromise(Effect.result(work), signal && { signal }))
      .then((result) => {
        if (Result.isFailure(result)) throw result.failure
        return result.success
      })
      .catch(rejecting({ name }, signal))
  const close = async () => {
    isClosed = true
    await runtime.dispose()
  }
  return Object.assign(clientOf(run, client), { close, [Symbol.asyncDispose]: close })
}
