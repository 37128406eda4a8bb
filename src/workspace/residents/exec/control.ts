import { Deferred, Effect } from "effect"
import { ExecNotFound, InvalidRequest } from "../../../contract/errors/errors.ts"
import { call } from "../../../contract/errors/next-step.ts"
import type { ResizePayload, SignalPayload } from "../../../contract/rows/workspace-process.ts"
import { signalNumber } from "../../../contract/text/signals.ts"
import type { GuestProcess } from "../../../lib/guest-channel/model/process.ts"
import type { Commands } from "./command-registry.ts"
import type { CommandFailure } from "./running.ts"

interface Named {
  readonly workspace: string
  readonly execId: string
}

/** The process of a command that the workspace knows. `undefined` if the command has ended. */
const processOf = (
  commands: Commands,
  { execId, workspace }: Named
) =>
  Effect.suspend((): Effect.Effect<GuestProcess | undefined, CommandFailure | ExecNotFound> => {
    const command = commands.running.get(execId)
    if (command !== undefined) return Deferred.await(command.started)
    return commands.journal.get(execId) === undefined
      ? Effect.fail(new ExecNotFound({ workspace, execId }))
      : Effect.undefined
  })

/** Sends a signal to a running command. The end of a command is no failure: it may come at any moment. */
export const signal = (commands: Commands, payload: SignalPayload) =>
  Effect.gen(function*() {
    const process = yield* processOf(commands, payload)
    if (process !== undefined) yield* process.signal(signalNumber(payload.signal)!, payload.to)
    return { execId: payload.execId, signaled: process !== undefined }
  })

/** Changes the size of a running command's terminal. Sizes of shells have a journal, for their renderings. */
export const resize = (commands: Commands, payload: ResizePayload) =>
  Effect.gen(function*() {
    const { cols, execId, rows, workspace } = payload
    const start = commands.journal.get(execId)?.start
    if (start?.role?._tag === "shell") {
      const next = [call("Resize it as a shell", "workspace.shell.resize", { workspace, shell_id: execId, cols, rows })]
      return yield* new InvalidRequest({ field: "exec_id", detail: "is a shell", next })
    }
    if (start !== undefined && start.tty !== true) {
      const next = [call("Start it with one", "workspace.exec", { workspace, tty: true }, "command")]
      return yield* new InvalidRequest({ field: "exec_id", detail: "is a command without a terminal", next })
    }
    const process = yield* processOf(commands, payload)
    if (process !== undefined) yield* process.resize({ cols, rows })
    return { execId, resized: process !== undefined }
  })
