import { Deferred, Effect, Option, Semaphore } from "effect"
import { ExecNotFound, InvalidRequest, StdinBlocked } from "../../../contract/errors/errors.ts"
import { call, type NextStep } from "../../../contract/errors/next-step.ts"
import type { StdinPayload } from "../../../contract/rows/workspace-process.ts"
import type { GuestProcess } from "../../../lib/guest-channel/model/process.ts"
import type { Commands } from "./command-registry.ts"
import { type Command, journaled } from "./running.ts"

/** Maximum time until a command reads more of the input, in ms. */
const BLOCKED_MS = 5_000
/** Number of bytes of one write. The steps show the progress of a long input. */
const STEP_BYTES = 16_384

/** One input at a time for each command. */
const turns = new WeakMap<Command, Semaphore.Semaphore>()

const turnOf = (command: Command) => {
  const known = turns.get(command)
  if (known !== undefined) return known
  const made = Semaphore.makeUnsafe(1)
  turns.set(command, made)
  return made
}

const refused = (detail: string, ...next: ReadonlyArray<NextStep>) =>
  new InvalidRequest({ field: "exec_id", detail, next })

/** Whether the stdin of a command is open or closed. Fails if the command has none for any caller. */
const demandOpen = (commands: Commands, { execId, workspace }: StdinPayload) =>
  Effect.gen(function*() {
    const start = commands.journal.get(execId)?.start
    if (start === undefined) return yield* new ExecNotFound({ workspace, execId })
    if (start.role !== undefined) {
      return yield* refused(
        "is not a command",
        call("Type into the shell", "workspace.shell.write", { workspace, shell_id: execId })
      )
    }
    if (start.stdin !== undefined) return start.stdin
    return yield* refused(
      "is a command without an open stdin",
      call("Start it with one", "workspace.exec", { workspace, open_stdin: true }, "command")
    )
  })

const writeAll = (process: GuestProcess, bytes: Uint8Array, blocked: (writtenBytes: number) => StdinBlocked) =>
  Effect.gen(function*() {
    const before = process.stdinSent()
    for (let at = 0; at < bytes.length; at += STEP_BYTES) {
      const step = process.writeStdin(bytes.subarray(at, at + STEP_BYTES))
      if (Option.isNone(yield* Effect.timeoutOption(step, BLOCKED_MS))) {
        return yield* blocked(process.stdinSent() - before)
      }
    }
  })

/**
 * Writes to the open stdin of a command, and closes it if the request says so. The journal has the end before the guest: bytes after the end would
 * violate the protocol, which ends the command.
 */
export const stdin = (commands: Commands, payload: StdinPayload) =>
  Effect.gen(function*() {
    const { close, execId, workspace } = payload
    if (payload.text !== undefined && payload.content !== undefined) {
      return yield* new InvalidRequest({ field: "content", detail: "cannot be combined with text" })
    }
    if (payload.text === undefined && payload.content === undefined && !close) {
      return yield* new InvalidRequest({ field: "text", detail: "is missing: give bytes to write, or close stdin" })
    }
    const bytes = payload.content ?? Buffer.from(payload.text ?? "", "utf8")
    yield* demandOpen(commands, payload)
    const command = commands.running.get(execId)
    if (command === undefined) return { execId, writtenBytes: 0, ended: true }
    const process = yield* Deferred.await(command.started)
    yield* Effect.gen(function*() {
      if ((yield* demandOpen(commands, payload)) === "closed") {
        if (bytes.length > 0) return yield* refused("is a command whose stdin was closed before")
      } else {
        yield* writeAll(
          process,
          bytes,
          (writtenBytes) => new StdinBlocked({ workspace, execId, writtenBytes, inputBytes: bytes.length })
        )
        if (close) yield* journaled(commands.folder, () => commands.journal.stdinClosed(execId))
      }
      if (close) yield* process.endStdin
    }).pipe(turnOf(command).withPermits(1))
    return { execId, writtenBytes: bytes.length, ended: false }
  })
