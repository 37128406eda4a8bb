import { Deferred, Effect } from "effect"
import { ChannelFailed, type PyroError } from "../../../contract/errors/errors.ts"
import { DEFAULT_GRACE_SECONDS } from "../../../contract/rows/command.ts"
import type { ShellOpenPayload } from "../../../contract/rows/workspace-shell-open.ts"
import type { Command, Commands, Running } from "../exec/commands.ts"

/** Starts a program on a terminal. Returns once the guest has started it: a program that cannot start leaves no shell. */
export const open = (
  commands: Commands,
  generation: Running & { readonly memoryMib: number },
  payload: ShellOpenPayload,
  execId: string
): Effect.Effect<Command, PyroError> =>
  Effect.gen(function*() {
    yield* commands.start(
      generation,
      { ...payload, execId, tty: true, detach: true, graceSeconds: DEFAULT_GRACE_SECONDS, maxBytes: 0 },
      {},
      { _tag: "shell" }
    )
    const command = commands.running.get(execId)
    if (command === undefined) return yield* new ChannelFailed({ detail: "the shell's microVM has just ended" })
    yield* Deferred.await(command.started)
    return command
  })
