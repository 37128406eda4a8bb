import { Deferred, Effect, Stream } from "effect"
import type { PyroError } from "../contract/errors.ts"
import type { RunEvent, RunPayload } from "../contract/operations/run.ts"
import type { RunInput } from "../contract/Pyro.ts"
import type { GuestProcess, ProcessExit, SpawnRequest } from "../guest-channel/process.ts"
import type { Guest } from "../vm/Vmm.ts"
import { explainChannelFailure, type FreshWorkspace } from "./boot.ts"
import { guestEnvironment } from "./guest-environment.ts"

/** How long a killed command may take to be gone before its end is told all the same; the VM goes with the run anyway. */
const killGraceMs = 3_000

const shell = ["/bin/bash", "-l"] as const

const spawnRequest = (payload: RunPayload, input: RunInput): SpawnRequest => {
  const [program, ...args] = payload.command
  return {
    argv: program === undefined ? shell : [program, ...args],
    env: guestEnvironment(payload),
    cwd: payload.cwd,
    user: payload.user === "root" ? "" : payload.user,
    stdin: payload.tty || input.stdin !== undefined,
    ...(payload.tty ? { pty: { rows: payload.rows, cols: payload.cols } } : {})
  }
}

/** Exit status as a shell would give it. */
const statusOf = (exit: ProcessExit) => exit._tag === "exited" ? exit.code : exit._tag === "oom" ? 137 : 128 + exit.code

/**
 * Runs the first command of a fresh workspace: Started, Output as it comes, Exited. The stream's end is the workspace's end, and
 * its interruption too.
 */
export const runIn = (
  workspace: FreshWorkspace,
  payload: RunPayload,
  input: RunInput,
  /** When the request came, by `performance.now()`. */
  since: number
): Stream.Stream<RunEvent, PyroError> =>
  Stream.unwrapScoped(Effect.gen(function*() {
    const process = yield* workspace.claim(spawnRequest(payload, input))
    const bootMs = performance.now() - since
    yield* feed(process, input)
    const deadline = yield* enforceDeadline(process, payload.timeoutSeconds)
    const started: RunEvent = { _tag: "Started", bootMs }
    const output = process.output.pipe(
      Stream.map(({ bytes, from }): RunEvent => ({ _tag: "Output", from, bytes })),
      Stream.interruptWhen(Deferred.await(deadline.givenUp)),
      Stream.interruptWhen(workspace.guest.vm.health.failure)
    )
    const ended = Effect.gen(function*() {
      const exit = yield* Effect.raceFirst(
        Effect.asSome(process.exit),
        Effect.as(Deferred.await(deadline.givenUp), { _tag: "None" } as const)
      )
      const late = yield* Deferred.isDone(deadline.passed)
      return exitedEvent(exit._tag === "Some" ? exit.value : undefined, late, bootMs, since)
    }).pipe(Effect.raceFirst(workspace.guest.vm.health.failure))
    return Stream.make(started).pipe(
      Stream.concat(output),
      Stream.concat(Stream.fromEffect(ended)),
      Stream.merge(troubles(workspace.guest), { haltStrategy: "left" }),
      (events) => explainStream(workspace.guest, events)
    )
  }))

const exitedEvent = (exit: ProcessExit | undefined, late: boolean, bootMs: number, since: number): RunEvent => {
  const durations = {
    totalMs: performance.now() - since,
    bootMs,
    commandMs: exit?.durationMs ?? performance.now() - since - bootMs
  }
  if (late || exit === undefined) return { _tag: "Exited", outcome: "timed_out", status: 124, durations }
  const status = statusOf(exit)
  switch (exit._tag) {
    case "exited":
      return { _tag: "Exited", outcome: "exited", status, durations }
    case "signaled":
      return { _tag: "Exited", outcome: "signaled", status, signal: exit.code, durations }
    case "oom":
      return { _tag: "Exited", outcome: "out_of_memory", status, durations }
  }
}

/** Passes stdin and the terminal's sizes on until they end, or the run does. */
const feed = (process: GuestProcess, input: RunInput) =>
  Effect.gen(function*() {
    if (input.stdin !== undefined) {
      yield* Stream.runForEach(input.stdin, process.writeStdin).pipe(
        Effect.zipRight(process.endStdin),
        Effect.ignore, // the run's own end tells what happened to the channel
        Effect.forkScoped
      )
    }
    if (input.resizes !== undefined) {
      yield* Stream.runForEach(input.resizes, process.resize).pipe(Effect.ignore, Effect.forkScoped)
    }
  })

/** Kills the command and all it started when its time is over. */
const enforceDeadline = (process: GuestProcess, timeoutSeconds: number | undefined) =>
  Effect.gen(function*() {
    const passed = yield* Deferred.make<void>()
    const givenUp = yield* Deferred.make<void>()
    if (timeoutSeconds !== undefined) {
      yield* Effect.sleep(timeoutSeconds * 1000).pipe(
        Effect.zipRight(Deferred.succeed(passed, undefined)),
        Effect.zipRight(Effect.ignore(process.kill)),
        Effect.zipRight(Effect.sleep(killGraceMs)),
        Effect.zipRight(Deferred.succeed(givenUp, undefined)),
        Effect.forkScoped
      )
    }
    return { passed, givenUp }
  })

/** Says when the host's disk is full and the guest stands still because of it. */
const troubles = (guest: Guest): Stream.Stream<RunEvent> =>
  Stream.map(guest.vm.health.troubles, (trouble): RunEvent => ({
    _tag: "Notice",
    level: "warning",
    message: trouble === "no-space"
      ? "the host's disk is full: the guest stands still and goes on when there is room"
      : trouble === "none"
      ? "there is room on the host's disk again: the guest goes on"
      : "the host's disk failed under the guest: what it wrote may be lost"
  }))

const explainStream = <A, R>(guest: Guest, stream: Stream.Stream<A, PyroError, R>): Stream.Stream<A, PyroError, R> =>
  Stream.catchAll(stream, (failure) => Stream.fromEffect(explainChannelFailure(guest)(Effect.fail(failure))))
