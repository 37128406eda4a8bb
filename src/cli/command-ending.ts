import { Deferred, Effect } from "effect"
import type { RunPayload } from "../contract/operations/run.ts"
import type { ExecPayload } from "../contract/operations/workspace-exec.ts"
import { Pyro } from "../contract/Pyro.ts"
import { Terminal } from "./terminal.ts"

/** Of an exec, whether it is this command line's own to end: one that is only listened to, or left running, goes on. */
const isOwn = (payload: RunPayload | ExecPayload) =>
  !("workspace" in payload) || (!payload.detach && payload.waitSeconds === undefined && payload.execId === undefined)

/**
 * What a signal such as Ctrl-C does from the moment the command runs: the command is asked to end, and its output goes on until it has.
 * Before that moment, and for a second signal, pyro's own interruption ends it.
 */
export const makeEnding = (payload: RunPayload | ExecPayload) =>
  Effect.gen(function*() {
    const { holdSignal } = yield* Terminal
    const { workspace } = yield* Pyro
    const interrupt = yield* Deferred.make<void>()
    let asked = false
    const stop = (started: { readonly execId?: string }): Effect.Effect<unknown> =>
      Effect.suspend((): Effect.Effect<unknown> => {
        asked = true
        return "workspace" in payload && started.execId !== undefined
          ? Effect.catchAllCause(
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
          ? Effect.flatMap(holdSignal, (signal) => Effect.forkScoped(Effect.zipRight(signal, stop(event))))
          : Effect.void,
      wasAsked: () => asked
    } as const
  })
