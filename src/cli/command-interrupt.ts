import { Deferred, Effect } from "effect"
import { Pyro } from "../contract/rows/Pyro.ts"
import type { RunPayload } from "../contract/rows/run.ts"
import type { ExecPayload } from "../contract/rows/workspace-exec.ts"
import { Terminal } from "./terminal.ts"

/** Whether Ctrl-C ends the command. A detached command, or one that is only followed, goes on. */
const isOwn = (payload: RunPayload | ExecPayload) =>
  !("workspace" in payload) || (!payload.detach && payload.waitSeconds === undefined && payload.execId === undefined)

/**
 * The effect of a signal while the command runs: the command gets SIGINT, and its output continues until its end. Before the start,
 * and at a second signal, pyro is interrupted.
 */
export const makeCommandInterrupt = (payload: RunPayload | ExecPayload) =>
  Effect.gen(function*() {
    const { interceptSignal } = yield* Terminal
    const { workspace } = yield* Pyro
    const interrupt = yield* Deferred.make<void>()
    let asked = false
    const stop = (started: { readonly execId?: string }): Effect.Effect<unknown> =>
      Effect.suspend((): Effect.Effect<unknown> => {
        asked = true
        return "workspace" in payload && started.execId !== undefined
          ? Effect.catchCause(
            workspace.cancel({ workspace: payload.workspace, execId: started.execId }),
            () => Effect.void
          )
          : Deferred.succeed(interrupt, undefined)
      })
    return {
      /** For `run`, whose command has no id. */
      interrupt: Deferred.await(interrupt),
      started: (event: object) =>
        isOwn(payload)
          ? Effect.flatMap(interceptSignal, (signal) => Effect.forkScoped(Effect.andThen(signal, stop(event))))
          : Effect.void,
      wasAsked: () => asked
    } as const
  })
