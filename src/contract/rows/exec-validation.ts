import { Effect } from "effect"
import { InvalidRequest } from "../errors/errors.ts"
import { call, type NextStep, option } from "../errors/next-step.ts"
import type { RunInput } from "./run-input.ts"
import type { ExecPayload } from "./workspace-exec.ts"

const wrong = (detail: string, field = "command", next: ReadonlyArray<NextStep> = []) =>
  Effect.fail(new InvalidRequest({ field, detail, next }))

const WRITE = "workspace.stdin"

/** Fails if both a command and a script are given. */
export const requireOneCommand = (
  { command, script }: Pick<ExecPayload, "command" | "script">
): Effect.Effect<void, InvalidRequest> =>
  command.length > 0 && script !== undefined
    ? wrong("cannot be combined with a script")
    : Effect.void

type Asked = Pick<ExecPayload, "command" | "detach" | "execId" | "openStdin" | "script" | "tty">

/** Fails if an exec would leave its stdin unread. */
export const requireRead = (
  { command, detach, execId, openStdin, script, tty }: Asked,
  { resumed, stdin, writeStdin }: RunInput
): Effect.Effect<void, InvalidRequest> => {
  if ((stdin ?? writeStdin) === undefined || resumed === true) return Effect.void
  if (openStdin === true && !detach) {
    return wrong("a command with an open stdin does not read that of its call", "stdin", [
      call("Write to it", WRITE, {}, "exec_id")
    ])
  }
  if (tty) return Effect.void
  if (detach) {
    return wrong("a detached command does not read the stdin of its call", "stdin", [
      option("Start it with an open one", "open_stdin", true),
      call("Then write to it", WRITE, {}, "exec_id")
    ])
  }
  return execId !== undefined && command.length === 0 && script === undefined
    ? wrong("a started command reads the stdin of the call that started it", "stdin")
    : Effect.void
}

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
