import { Deferred, Effect } from "effect"
import { ExecNotFound } from "../../../contract/errors/errors.ts"
import type { CancelPayload, CancelResult } from "../../../contract/rows/workspace-logs.ts"
import { withTimeout } from "../../../system/waits/effects.ts"
import type { Commands } from "./command-registry.ts"
import type { Command } from "./running.ts"

/** Maximum wait for the end of a killed command. */
const KILLED_MS = 5_000

/**
 * Ends a running command and all its processes, and waits for the end up to a limit. The grace is the given one, or the command's own.
 * A second request kills the command at once.
 */
export const endRunning = (command: Command, graceMs = command.ending.graceMs): Effect.Effect<void> =>
  Effect.suspend(() => {
    const leftMs = command.isEnding ? 0 : graceMs
    return Effect.andThen(
      command.stop(leftMs),
      withTimeout(leftMs + KILLED_MS, Effect.exit(Deferred.await(command.end)))
    )
  })

/** Ends a running command and all its processes, for any caller. An ended command stays unchanged. */
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
