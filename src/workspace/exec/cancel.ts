import { Deferred, Effect } from "effect"
import { ExecNotFound } from "../../contract/errors.ts"
import type { CancelPayload, CancelResult } from "../../contract/operations/workspace-exec.ts"
import { within } from "../../system/within.ts"
import type { Command, Commands } from "./commands.ts"

/** How long the end of what was killed is waited for. */
const graceMs = 5_000

/** Ends a command that runs with everything it started, and waits until that has happened, or the guest takes too long. */
export const endRunning = (command: Command): Effect.Effect<void> =>
  Effect.zipRight(command.kill, within(graceMs, Effect.exit(Deferred.await(command.end))))

/** Ends a running command with everything it started, whoever started it; one that has ended stays as it is. */
export const cancel = (
  commands: Commands,
  { execId, workspace }: CancelPayload
): Effect.Effect<CancelResult, ExecNotFound> =>
  Effect.gen(function*() {
    const command = commands.running.get(execId)
    if (command !== undefined) {
      yield* endRunning(command)
    } else if (commands.journal.get(execId) === undefined) {
      return yield* new ExecNotFound({ workspace, execId })
    }
    return { execId, cancelled: command !== undefined }
  })
