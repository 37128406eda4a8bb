import { Effect } from "effect"
import { InvalidRequest } from "./errors.ts"
import type { ExecPayload } from "./operations/workspace-exec.ts"

const wrong = (detail: string, field = "command") => Effect.fail(new InvalidRequest({ field, detail }))

/** Fails if both a command and a script are given. */
export const requireOneCommand = (
  { command, script }: Pick<ExecPayload, "command" | "script">
): Effect.Effect<void, InvalidRequest> =>
  command.length > 0 && script !== undefined
    ? wrong("cannot be combined with a script")
    : Effect.void

/** Fails if an exec has no command, or two. Called before pyro generates an id. */
export const requireCommand = (
  payload: Pick<ExecPayload, "command" | "cursor" | "execId" | "script" | "tty">
): Effect.Effect<void, InvalidRequest> => {
  const { command, cursor, execId, script, tty } = payload
  if (command.length > 0 && script !== undefined) return requireOneCommand(payload)
  if (cursor !== undefined && execId === undefined) return wrong("needs the id of a started command", "cursor")
  if (command.length > 0 || script !== undefined || execId !== undefined || tty) return Effect.void
  return wrong("nothing to run: add a command or a script")
}
