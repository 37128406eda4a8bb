import { Chunk, Deferred, Effect, Option, type Scope, Stream } from "effect"
import { ChannelFailed, ExecNotFound, InvalidRequest, type PyroError, VmFailed } from "../../contract/errors.ts"
import type { ExecEvent, ExecPayload } from "../../contract/operations/workspace-exec.ts"
import type { RunInput } from "../../contract/Pyro.ts"
import { newRequestId } from "../../system/identity.ts"
import { feed } from "../command.ts"
import { type Command, type Commands, type Running } from "./commands.ts"
import type { CommandEnd } from "./journal.ts"
import type { LogReader } from "./log-reader.ts"
import type { CommandLog } from "./log.ts"

/** From now on nothing of the output goes before it was heard, also what no disk has room for. */
const listen = (log: CommandLog, cursor: number) =>
  Effect.acquireRelease(Effect.sync(() => log.listen(cursor)), (reader) => Effect.sync(() => reader.close()))

/** Output as it comes, from where the reader is, until no more comes. */
const output = (log: CommandLog, reader: LogReader): Stream.Stream<ExecEvent, InvalidRequest> =>
  Stream.unwrap(Effect.gen(function*() {
    if (log.ended && reader.position > log.position) {
      return yield* new InvalidRequest({ field: "cursor", detail: `it printed ${log.position} bytes only` })
    }
    const pull: Effect.Effect<Chunk.Chunk<ExecEvent>, Option.Option<never>> = Effect.suspend(() => {
      const piece = reader.next()
      const skipped = reader.takeSkipped()
      const events: Array<ExecEvent> = skipped === 0 ? [] : [notKept(skipped)]
      if (piece !== undefined) events.push({ _tag: "Output", ...piece })
      if (events.length > 0) return Effect.succeed(Chunk.unsafeFromArray(events))
      return log.ended ? Effect.fail(Option.none()) : Effect.zipRight(log.more(reader.position), pull)
    })
    return Stream.repeatEffectChunkOption(pull)
  }))

const notKept = (bytes: number): ExecEvent => ({
  _tag: "Notice",
  level: "warning",
  message: `${bytes} bytes of the command's output are no longer kept`
})

const exited = (log: CommandLog, { durationMs, outcome, signal, status }: CommandEnd) =>
  outcome === "lost"
    ? new VmFailed({
      step: "exec",
      detail: "the workspace's microVM ended before the command did; what it printed until then is above",
      consoleTail: ""
    })
    : Effect.succeed<ExecEvent>({
      _tag: "Exited",
      outcome,
      status: status ?? 0,
      durationMs: durationMs ?? 0,
      ...(signal === undefined ? {} : { signal }),
      ...(log.droppedBytes === 0 ? {} : { droppedBytes: log.droppedBytes })
    })

/** What is told of a command that runs. */
const follow = (command: Command, reader: LogReader): Stream.Stream<ExecEvent, PyroError> =>
  Stream.concat(
    output(command.log, reader),
    Stream.fromEffect(Effect.flatMap(Deferred.await(command.end), (end) => exited(command.log, end)))
  )

/** Ends the command with the stream, unless it is only this process that leaves. */
const endWithStream = (command: Command, running: Commands["running"], input: RunInput) =>
  Effect.addFinalizer(() =>
    Effect.gen(function*() {
      if (running.get(command.id) !== command) return
      if (!(yield* input.leaving ?? Effect.succeed(false))) yield* command.kill
    })
  )

/**
 * Runs a command, or goes on listening to the one of that id: Started, Output, Exited; Detached where the caller wants to wait no
 * longer. Interrupting the one who started it ends it with all it started; whoever came later only stops listening.
 */
export const exec = (
  commands: Commands,
  generation: Effect.Effect<Running & { readonly memoryMib: number }, PyroError>,
  payload: ExecPayload,
  input: RunInput
): Stream.Stream<ExecEvent, PyroError> =>
  Stream.unwrapScoped(Effect.gen(function*() {
    if (payload.command.length === 0 && payload.script === undefined && payload.execId === undefined && !payload.tty) {
      return yield* new InvalidRequest({ field: "command", detail: "nothing to run: give a command or a script" })
    }
    const id = payload.execId ?? newRequestId()
    const mine = yield* startUnknown(commands, generation, { ...payload, execId: id }, input)
    const cursor = payload.cursor ?? 0
    const command = commands.running.get(id)
    if (command === undefined) return yield* replay(commands, id, cursor, payload.workspace)
    const owned = mine || input.resumed === true
    if (owned && !payload.detach && payload.waitSeconds === undefined) {
      yield* endWithStream(command, commands.running, input)
    }
    // Before the guest has it: its first output may be all there is.
    const reader = payload.detach ? undefined : yield* listen(command.log, cursor)
    const process = yield* Deferred.await(command.started)
    const resumes = !mine && input.resumed === true
    if (resumes) yield* feed(process, input)
    const started: ExecEvent = {
      _tag: "Started",
      execId: id,
      ...(resumes ? { stdinBytes: process.stdinOffset } : {})
    }
    const detached: ExecEvent = { _tag: "Detached", execId: id }
    if (reader === undefined) return Stream.make(started, detached)
    const events = Stream.concat(Stream.make(started), follow(command, reader))
    return payload.waitSeconds === undefined ? events : forAWhile(events, payload.waitSeconds * 1000, detached)
  }))

/** Whether it was started here and now; not where its id is known. */
const startUnknown = (
  commands: Commands,
  generation: Effect.Effect<Running & { readonly memoryMib: number }, PyroError>,
  payload: ExecPayload & { readonly execId: string },
  input: RunInput
): Effect.Effect<boolean, PyroError> =>
  Effect.gen(function*() {
    if (commands.journal.get(payload.execId) !== undefined) return false
    const { command, cursor, execId, script, tty, workspace } = payload
    if (cursor !== undefined || (command.length === 0 && script === undefined && !tty)) {
      return yield* new ExecNotFound({ workspace, execId })
    }
    return (yield* commands.start(yield* generation, payload, input)).mine
  })

/** All that is known of a command that has ended, from its log. */
const replay = (
  commands: Commands,
  id: string,
  cursor: number,
  workspace: string
): Effect.Effect<Stream.Stream<ExecEvent, PyroError>, PyroError, Scope.Scope> =>
  Effect.gen(function*() {
    const known = commands.journal.get(id)
    const log = commands.logs.get(id)
    if (known === undefined) return yield* new ExecNotFound({ workspace, execId: id })
    const { end } = known
    if (end === undefined || log === undefined) {
      return yield* new ChannelFailed({ detail: "it is not known yet whether the command ran: ask again by its id" })
    }
    const started: ExecEvent = { _tag: "Started", execId: id }
    return Stream.make(started).pipe(
      Stream.concat(output(log, yield* listen(log, cursor))),
      Stream.concat(Stream.fromEffect(exited(log, end)))
    )
  })

/** The events until the time is over, then `last` unless they have ended. */
const forAWhile = (events: Stream.Stream<ExecEvent, PyroError>, waitMs: number, last: ExecEvent) =>
  Stream.unwrap(Effect.map(Deferred.make<void>(), (ended) =>
    events.pipe(
      Stream.tap((event) => event._tag === "Exited" ? Deferred.succeed(ended, undefined) : Effect.void),
      Stream.interruptWhen(Effect.sleep(waitMs)),
      Stream.concat(
        Stream.unwrap(Effect.map(Deferred.isDone(ended), (done) => done ? Stream.empty : Stream.make(last)))
      )
    )))
