import { Effect } from "effect"
import { InvalidRequest } from "./errors.ts"
import type { ExecPayload } from "./operations/workspace-exec.ts"

const wrong = (detail: string, field = "command") => Effect.fail(new InvalidRequest({ field, detail }))

/** Fails where a command and a script are given. */
export const demandOneCommand = (
  { command, script }: Pick<ExecPayload, "command" | "script">
): Effect.Effect<void, InvalidRequest> =>
  command.length > 0 && script !== undefined
    ? wrong("excludes a script: give one of them")
    : Effect.void

/** Fails where an exec names nothing to do, or two things: as its caller gave it, before an id is minted for it. */
export const demandCommand = (
  payload: ExecPayload
): Effect.Effect<void, InvalidRequest> => {
  const { command, cursor, execId, script, tty } = payload
  if (command.length > 0 && script !== undefined) return demandOneCommand(payload)
  if (cursor !== undefined && execId === undefined) return wrong("goes with the id of a known command only", "cursor")
  if (command.length > 0 || script !== undefined || execId !== undefined || tty) return Effect.void
  return wrong("nothing to run: give a command or a script")
}
