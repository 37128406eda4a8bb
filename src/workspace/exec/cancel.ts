import { Deferred, Effect } from "effect"
import { ExecNotFound } from "../../contract/errors.ts"
import type { CancelPayload, CancelResult } from "../../contract/operations/workspace-cancel.ts"
import { within } from "../../system/within.ts"
import type { Command, Commands } from "./commands.ts"

/** How long the end of what was killed is waited for. */
const KILLED_MS = 5_000

/**
 * Ends a command that runs with everything it started, and waits until that has happened, or the guest takes too long. It has the time
 * given here to end by itself, or its own; whoever asks a second time has it killed at once.
 */
export const endRunning = (command: Command, graceMs = command.ending.graceMs): Effect.Effect<void> =>
  Effect.suspend(() => {
    const leftMs = command.isEnding ? 0 : graceMs
    return Effect.zipRight(
      command.stop(leftMs),
      within(leftMs + KILLED_MS, Effect.exit(Deferred.await(command.end)))
    )
  })

/** Ends a running command with everything it started, whoever started it; one that has ended stays as it is. */
export const cancel = (
  commands: Commands,
  { execId, graceSeconds, workspace }: CancelPayload
): Effect.Effect<CancelResult, ExecNotFound> =>
  Effect.gen(function*() {
    const command = commands.running.get(execId)
    if (command !== undefined) {
      yield* endRunning(command, graceSeconds === undefined ? undefined : graceSeconds * 1000)
    } else if (commands.journal.get(execId) === undefined) {
      return yield* new ExecNotFound({ workspace, execId })
    }
    return { execId, cancelled: command !== undefined }
  })
