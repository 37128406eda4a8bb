import { Chunk, Deferred, Effect, Option, Stream } from "effect"
import { ExecNotFound, InvalidRequest, type PyroError, VmFailed } from "../../contract/errors.ts"
import type { ExecEvent, ExecPayload } from "../../contract/operations/workspace-exec.ts"
import type { RunInput } from "../../contract/Pyro.ts"
import type { Generation } from "../lifecycle/generation.ts"
import type { Command, Commands } from "./commands.ts"
import type { CommandEnd } from "./journal.ts"
import { type LoggedPiece, readLog } from "./log.ts"

/** A cursor that the client made up is no defect of ours. */
const pieceOf = (command: Command, cursor: number) =>
  Effect.try({
    try: () => command.log.at(cursor),
    catch: (cause) =>
      cause instanceof InvalidRequest ? cause : new VmFailed({ step: "log", detail: String(cause), consoleTail: "" })
  })

/** Waits until there is more of the log than the cursor, or no more to come. */
const more = (command: Command) =>
  Effect.async<void>((resume) => {
    if (command.log.ended) return resume(Effect.void)
    const stop = command.log.onMore(() => resume(Effect.void))
    return Effect.sync(stop)
  })

const outputEvent = ({ bytes, from }: LoggedPiece): ExecEvent => ({ _tag: "Output", from, bytes })

const exitedEvent = ({ durationMs, outcome, signal, status }: CommandEnd): ExecEvent => ({
  _tag: "Exited",
  outcome: outcome === "lost" ? "signaled" : outcome,
  status: status ?? 137,
  durationMs: durationMs ?? 0,
  ...(signal === undefined ? {} : { signal })
})

/** Output from a cursor on, as it comes, until the command's end. */
const follow = (command: Command, from: number): Stream.Stream<ExecEvent, PyroError> =>
  Stream.paginateChunkEffect(from, (cursor) =>
    Effect.gen(function*() {
      yield* command.log.position > cursor || command.log.ended ? Effect.void : more(command)
      const piece = yield* pieceOf(command, cursor)
      return piece === undefined
        ? [Chunk.empty<ExecEvent>(), command.log.ended ? Option.none() : Option.some(cursor)] as const
        : [Chunk.of(outputEvent(piece)), Option.some(piece.next)] as const
    })).pipe(
      Stream.concat(Stream.map(Stream.fromEffect(Deferred.await(command.end)), exitedEvent)),
      Stream.onStart(Effect.sync(() => command.log.retain())),
      Stream.ensuring(Effect.sync(() => command.log.release()))
    )

/** All that is known of a command that has ended, from its log. */
const replay = (commands: Commands, id: string, cursor: number): Stream.Stream<ExecEvent, PyroError> => {
  const known = commands.journal.get(id)
  return known?.end === undefined
    ? Stream.empty
    : Stream.paginateChunkEffect(
      cursor,
      (at) =>
        Effect.map(readLog(commands.logFile(id), at, 1_048_576), ({ end, pieces }) => {
          const next = pieces.at(-1)?.next ?? end
          return [
            Chunk.fromIterable(pieces.map(outputEvent)),
            next >= end ? Option.none<number>() : Option.some(next)
          ] as const
        })
    ).pipe(Stream.concat(Stream.make(exitedEvent(known.end))))
}

/**
 * Runs a command, or goes on listening to the one of that id: Started, Output, Exited; Detached where the caller wants to wait no
 * longer. Interrupting the one who started it ends it with all it started; whoever came later only stops listening.
 */
export const exec = (
  commands: Commands,
  generation: Effect.Effect<Generation, PyroError>,
  payload: ExecPayload,
  input: RunInput
): Stream.Stream<ExecEvent, PyroError> =>
  Stream.unwrapScoped(Effect.gen(function*() {
    if (payload.command.length === 0 && payload.script === undefined && payload.execId === undefined && !payload.tty) {
      return yield* new InvalidRequest({ field: "command", detail: "nothing to run: give a command or a script" })
    }
    const known = payload.execId === undefined ? undefined : commands.journal.get(payload.execId)
    const cursor = payload.cursor ?? 0
    if (known?.end !== undefined) {
      return Stream.concat(started(known.start.id), replay(commands, known.start.id, cursor))
    }
    if (known === undefined && payload.cursor !== undefined) {
      return yield* new ExecNotFound({ workspace: payload.workspace, execId: payload.execId ?? "" })
    }
    const command = known === undefined
      ? yield* Effect.flatMap(generation, (live) => commands.start(live, payload, input))
      : yield* runningOf(commands, known.start.id, payload.workspace)
    if (known === undefined && !payload.detach && payload.waitSeconds === undefined) {
      // Dropped before its end: nobody wants it any more.
      yield* Effect.addFinalizer(() => commands.running.has(command.id) ? command.kill : Effect.void)
    }
    const detached = Stream.make<[ExecEvent]>({ _tag: "Detached", execId: command.id })
    if (payload.detach) return Stream.concat(started(command.id), detached)
    const events = Stream.concat(started(command.id), follow(command, cursor))
    if (payload.waitSeconds === undefined) return events
    const ended = yield* Deferred.make<void>()
    return events.pipe(
      Stream.tap((event) => event._tag === "Exited" ? Deferred.succeed(ended, undefined) : Effect.void),
      Stream.interruptWhen(Effect.sleep(payload.waitSeconds * 1000)),
      Stream.concat(Stream.unwrap(Effect.map(Deferred.isDone(ended), (done) => done ? Stream.empty : detached)))
    )
  }))

const started = (execId: string) => Stream.make<[ExecEvent]>({ _tag: "Started", execId })

const runningOf = (commands: Commands, id: string, workspace: string) =>
  Effect.suspend(() => {
    const command = commands.running.get(id)
    return command === undefined ? new ExecNotFound({ workspace, execId: id }) : Effect.succeed(command)
  })
