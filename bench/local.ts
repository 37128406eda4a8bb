import { Effect, Layer, ManagedRuntime, References, Schema, Stream } from "effect"
import type { PyroError } from "../src/contract/errors/errors.ts"
import { Pyro, type PyroService } from "../src/contract/rows/Pyro.ts"
import { CreatePayload } from "../src/contract/rows/workspace-lifecycle.ts"
import { layer } from "../src/daemon/layer.ts"
import { logToStderr } from "./product.ts"

/** The operations on workspaces in this process, as the daemon has them. */
export interface Local {
  readonly call: <A>(use: (pyro: PyroService) => Effect.Effect<A, PyroError>) => Promise<A>
  /** Creates a workspace and gives its id. */
  readonly create: () => Promise<string>
  /** Ends the workspaces and all else. */
  readonly close: () => Promise<void>
}

/** `env`: variables for the workspaces in addition to this process's own. */
export const openLocal = async (env: Readonly<Record<string, string>>): Promise<Local> => {
  const runtime = ManagedRuntime.make(
    Layer.provideMerge(layer, Layer.merge(logToStderr, Layer.succeed(References.MinimumLogLevel, "Warn")))
  )
  const call: Local["call"] = (use) => runtime.runPromise(Effect.flatMap(Pyro, use))
  // Workspaces are taken up at their first use, which reads the variables.
  const before = { ...process.env }
  Object.assign(process.env, env)
  try {
    await call((pyro) => pyro.workspace.list({ labels: {} }))
  } finally {
    process.env = before
  }
  return {
    call,
    create: () =>
      call((pyro) =>
        Effect.flatMap(
          Stream.runLast(pyro.workspace.create(Schema.decodeSync(CreatePayload())({}))),
          (last) =>
            last._tag === "Some" && last.value._tag === "Ready"
              ? Effect.succeed(last.value.workspace.id)
              : Effect.die(new Error("create ended without a workspace"))
        )
      ),
    close: async () => {
      await call((pyro) => Effect.asVoid(pyro.workspace.delete({ workspaces: [], all: true })))
      await runtime.dispose()
    }
  }
}
