import { Effect } from "effect"
import { InvalidRequest } from "./errors.ts"
import type { ExecPayload } from "./operations/workspace-exec.ts"

const wrong = (detail: string, field = "command") => Effect.fail(new InvalidRequest({ field, detail }))

/** Fails where an exec names nothing to do, or two things: as its caller gave it, before an id is minted for it. */
export const demandCommand = (
  { command, cursor, execId, script, tty }: ExecPayload
): Effect.Effect<void, InvalidRequest> => {
  if (command.length > 0 && script !== undefined) return wrong("excludes a script: give one of them")
  if (cursor !== undefined && execId === undefined) return wrong("goes with the id of a known command only", "cursor")
  if (command.length > 0 || script !== undefined || execId !== undefined || tty) return Effect.void
  return wrong("nothing to run: give a command or a script")
}
