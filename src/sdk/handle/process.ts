import { Deferred, Effect, Fiber, Option, Stream } from "effect"
import { ChannelFailed } from "../../contract/errors/errors.ts"
import type { ErrorOf } from "../../contract/rows/operations.ts"
import { newRequestId } from "../../system/processes/identity.ts"
import { isOptions, noOptions } from "../model/options.ts"
import type { Process } from "../promises/command.ts"
import type { Workspace } from "../promises/workspace.ts"
import { commandFields, type Host } from "./host.ts"
import type { InEffect } from "./in-effect.ts"
import { abortable, handle } from "./marks.ts"
import { inSeconds } from "./option-names.ts"
import { type CommandRef, endOf, outputOf } from "./output.ts"
import { stdinOf } from "./stdin.ts"

/** The handle of a command. `letGo` ends the request that owns the command. */
const processOf = (
  on: Host,
  command: CommandRef,
  pid: number | null,
  letGo: Effect.Effect<void>
): InEffect<Process> => {
  const host = on.of({ execId: command.execId })
  const { pyro, use } = host
  return handle<InEffect<Process>>("Process", {
    execId: command.execId,
    pid,
    stdin: stdinOf(host, command),
    stdout: outputOf(host, command, "stdout"),
    stderr: outputOf(host, command, "stderr"),
    output: outputOf(host, command, "both"),
    wait: () => endOf(host, command),
    kill: (signal = "SIGTERM", { to = "command" } = {}) =>
      Effect.map(use(pyro.workspace.signal({ ...command, signal, to })), ({ signaled }) => signaled),
    resize: (size) =>
      isOptions(size)
        ? Effect.map(use(pyro.workspace.resize({ ...size, ...command })), ({ resized }) => resized)
        : Effect.fail(noOptions("size")),
    detach: () =>
      use(pyro.workspace.exec.collect({ ...command, detach: true }, { withoutOutput: true })).pipe(
        Effect.andThen(letGo),
        Effect.as(command.execId)
      )
  })
}

/** Starts commands. A request of each command owns it: the Scope ends the request, and so the command. */
export const spawnIn = (host: Host, workspace: string): InEffect<Workspace>["spawn"] => (command, options) =>
  Effect.gen(function*() {
    const { stdin = "pipe", tty, ...fields } = options ?? {}
    const ref = { workspace, execId: newRequestId() }
    const started = yield* Deferred.make<number | null, ErrorOf<"workspace.exec">>()
    const events = host.useStream(host.pyro.workspace.exec({
      ...inSeconds(fields),
      ...commandFields(command),
      ...ref,
      ...(stdin === "pipe" ? { openStdin: true } : {}),
      ...(tty === undefined ? {} : { tty: true, ...tty })
    }, { withoutOutput: true, isBackground: true }))
    const owner = yield* events.pipe(
      Stream.runForEach((event) =>
        event._tag === "Started" ? Deferred.succeed(started, event.pid ?? null) : Effect.void
      ),
      Effect.andThen(new ChannelFailed({ detail: "the command's events ended before its start" })),
      Effect.catch((failure) => Deferred.fail(started, failure)),
      Effect.forkScoped
    )
    const pid = yield* Effect.onInterrupt(Deferred.await(started), () => Fiber.interrupt(owner))
    const process = processOf(host, ref, pid, Effect.asVoid(Fiber.interrupt(owner)))
    return abortable(process, { end: process.kill("SIGKILL"), ended: Fiber.await(owner) })
  })

/** Commands that were started before. */
export const attachIn = (host: Host, workspace: string): InEffect<Workspace>["attach"] => (execId) =>
  Effect.gen(function*() {
    const first = yield* Stream.runHead(
      host.useStream(host.pyro.workspace.exec({ workspace, execId }, { withoutOutput: true }))
    )
    const event = Option.getOrUndefined(first)
    if (event?._tag !== "Started") {
      return yield* new ChannelFailed({ detail: "the command's events ended before its start" })
    }
    return processOf(host, { workspace, execId: event.execId }, event.pid ?? null, Effect.void)
  })
