import { Deferred, Effect, Option } from "effect"
import {
  ChannelFailed,
  ExecNotFound,
  InvalidRequest,
  type NoSpace,
  type StateDirectoryUnusable,
  VmFailed
} from "../../../contract/errors/errors.ts"
import { words } from "../../../contract/errors/next-step.ts"
import type { PullEvents } from "../../../contract/rows/event-batches.ts"
import { requireCommand, requireRead } from "../../../contract/rows/exec-validation.ts"
import type { RunInput } from "../../../contract/rows/run-input.ts"
import type { ExecEvent, ExecPayload } from "../../../contract/rows/workspace-exec.ts"
import { count } from "../../../contract/text/count.ts"
import type { CommandLog, LogReader } from "../../../lib/output-log/log.ts"
import { newRequestId } from "../../../system/processes/identity.ts"
import { acquirePlain, atClose } from "../../../system/waits/effects.ts"
import { clockReader, monotonicMs } from "../../../system/waits/time.ts"
import { changeOf, type Standstill, standstillNotice } from "../../entry/standstill.ts"
import { OutputTail } from "../program/command-hints.ts"
import { feed } from "../program/command.ts"
import { endRunning } from "./cancel.ts"
import type { Commands } from "./command-registry.ts"
import type { CommandEnd } from "./journal.ts"
import type { Command, CommandFailure, Running } from "./running.ts"

const notKept = (bytes: number): ExecEvent => ({
  _tag: "Notice",
  level: "warning",
  message: `${count(bytes, "byte")} of the command's output ${bytes === 1 ? "is" : "are"} no longer kept`
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

/** Minimum wait for the start, in ms, also for a caller that does not want to wait. An idle guest starts a command sooner. */
const LEAST_START_MS = 1_000

/** Maximum output of one batch, in bytes, without its last piece. A large batch needs few messages for fast output. */
const BATCH_BYTES = 65_536

export type ExecPull = PullEvents<ExecEvent, CommandFailure>

const none = Effect.succeed<ReadonlyArray<ExecEvent>>([])

/** When the caller stops waiting. */
interface WaitLimit {
  readonly untilMs: number
  /** The last event if the command outlives the wait. */
  readonly last: ExecEvent
}

/** Opens a reader. While the reader is open, the log drops no output that the reader has not read, even if the disk is full. */
const listen = (log: CommandLog, cursor: number) =>
  acquirePlain(Effect.sync(() => log.listen(cursor)), (reader) => reader.close())

/** Gives `first`, then the output from the reader's position on as it arrives, and then the end. */
const pullOutput = (
  first: ExecEvent,
  log: CommandLog,
  reader: LogReader,
  end: Effect.Effect<CommandEnd, CommandFailure>,
  { command, waitLimit, standstill }: {
    /** Command whose hints precede the end. */
    readonly command?: Pick<Command, "hints" | "startedAt">
    readonly waitLimit?: WaitLimit | undefined
    readonly standstill?: Standstill | undefined
  } = {}
): Effect.Effect<ExecPull, InvalidRequest> =>
  Effect.gen(function*() {
    if (log.ended && reader.position > log.position) {
      return yield* new InvalidRequest({ field: "cursor", detail: `it printed ${count(log.position, "byte")} only` })
    }
    const { monotonicMs } = yield* clockReader
    const untilMs = waitLimit?.untilMs ?? Infinity
    const tail = command && new OutputTail()
    let waiting: Array<ExecEvent> = [first]
    let isOver = false
    let reason: string | undefined
    /** Adds a notice when the guest stops making progress, and when it continues. */
    const orStandstill = (more: Effect.Effect<void>) =>
      standstill === undefined ? more : Effect.raceFirst(
        more,
        Effect.map(changeOf(standstill, reason), (now) => {
          reason = now
          waiting.push(standstillNotice(now))
        })
      )
    const pull: ExecPull = (waitMs) =>
      Effect.suspend(() => {
        if (isOver) return Effect.fail(Option.none())
        for (let bytes = 0; bytes < BATCH_BYTES;) {
          const piece = reader.next()
          const skipped = reader.takeSkipped()
          if (skipped > 0) waiting.push(notKept(skipped))
          if (piece === undefined) return whenDrained(waitMs)
          waiting.push({ _tag: "Output", ...piece })
          tail?.add(piece.bytes)
          bytes += piece.bytes.length
        }
        return Effect.succeed(takeBatch())
      })
    /** The end of an ended command, or the available output, or the next output. */
    const whenDrained: ExecPull = (waitMs) => {
      if (log.ended) {
        return Effect.matchEffect(Effect.flatMap(end, (how) => exited(log, how)), {
          // The failure comes with the next pull if events precede it.
          onFailure: (failure) => waiting.length > 0 ? Effect.succeed(takeBatch()) : Effect.fail(Option.some(failure)),
          onSuccess: (event) => {
            if (tail !== undefined && event._tag === "Exited") {
              waiting.push(...command!.hints.after(tail, event.status, command!.startedAt))
            }
            return Effect.succeed(over(event))
          }
        })
      }
      if (waiting.length > 0) return Effect.succeed(takeBatch())
      const now = monotonicMs()
      if (now >= untilMs) return Effect.sync(() => over(waitLimit!.last))
      const endsMs = Math.min(untilMs, now + (waitMs ?? Infinity))
      const more = log.more(reader.position, endsMs === Infinity ? undefined : Math.max(1, endsMs - now))
      return Effect.flatMap(waitMs === undefined ? orStandstill(more) : more, () =>
        waitMs !== undefined && isIdle() ? none : pull(waitMs))
    }
    const isIdle = () =>
      !log.ended && log.position <= reader.position && monotonicMs() < untilMs
    const takeBatch = () => {
      const events = waiting
      waiting = []
      return events
    }
    const over = (event: ExecEvent) => {
      isOver = true
      waiting.push(event)
      return takeBatch()
    }
    return pull
  })

/** Gives `first` and the end, without the output between them. */
const endAlone = (first: ExecEvent, log: CommandLog, end: Effect.Effect<CommandEnd, CommandFailure>): ExecPull => {
  const events = [Effect.succeed(first), Effect.flatMap(end, (how) => exited(log, how))]
  return (waitMs) =>
    Effect.suspend(() => {
      const [next] = events
      if (next === undefined) return Effect.fail(Option.none())
      const batch = Effect.mapBoth(next, {
        onFailure: Option.some,
        onSuccess: (event) => {
          events.shift()
          return [event]
        }
      })
      return waitMs === undefined ? batch : Effect.timeoutOrElse(batch, { duration: waitMs, orElse: () => none })
    })
}

/** One batch and the end. */
const oneBatch = (...events: ReadonlyArray<ExecEvent>): ExecPull => {
  let isDone = false
  return () =>
    Effect.suspend(() => {
      if (isDone) return Effect.fail(Option.none())
      isDone = true
      return Effect.succeed(events)
    })
}

/** Ends the command with the Scope, unless the command is detached or only this process leaves. */
const endWithScope = (
  command: Command,
  running: Commands["running"],
  input: RunInput,
  detached: { readonly isReported: boolean }
) =>
  atClose(Effect.suspend(() =>
    running.get(command.id) === command && !detached.isReported && !command.isDetached
      ? Effect.flatMap(input.leaving ?? Effect.succeed(false), (leaving) => leaving ? Effect.void : endRunning(command))
      : Effect.void
  ))

/**
 * Runs a command, or follows the command of that id: Started, Output, Exited, or Detached at the end of the caller's wait. An
 * interruption of the caller that started the command ends the command. An interruption of a later caller does not, and a later caller
 * that detaches the command keeps it running after the first caller.
 */
export const exec = <E>(
  commands: Commands,
  generation: Effect.Effect<Running & { readonly memoryMib: number }, E>,
  payload: ExecPayload,
  input: RunInput,
  standstill?: Standstill
) =>
  Effect.gen(function*() {
    yield* requireCommand(payload)
    yield* requireRead(payload, input)
    const untilMs = payload.waitSeconds === undefined ? undefined : (yield* monotonicMs) + payload.waitSeconds * 1000
    const id = payload.execId ?? newRequestId()
    const cursor = payload.cursor ?? 0
    const detached = { isReported: false }
    // A caller that leaves during the start of its command ends the command, too.
    const found = yield* Effect.uninterruptibleMask((restore) =>
      Effect.gen(function*() {
        const mine = yield* startUnknown(commands, restore(generation), { ...payload, execId: id }, input)
        const command = commands.running.get(id)
        if (command === undefined) return undefined
        command.isDetached ||= payload.detach
        const owned = mine || input.resumed === true
        if (owned && !payload.detach && (untilMs === undefined || input.endsWithCaller === true)) {
          yield* endWithScope(command, commands.running, input, detached)
        }
        return { command, mine }
      })
    )
    if (found === undefined) return yield* replay(commands, id, cursor, payload.workspace, input)
    const { command, mine } = found
    // The reader opens before the wait for the start, because the first output may be the whole output.
    const reader = payload.detach || input.withoutOutput === true ? undefined : yield* listen(command.log, cursor)
    const process = yield* startedBefore(command, untilMs)
    const resumes = !mine && input.resumed === true
    if (resumes && process !== undefined) yield* feed(process, input)
    const started: ExecEvent = {
      _tag: "Started",
      execId: id,
      ...(process === undefined ? {} : { pid: process.pid }),
      ...(resumes && process !== undefined ? { stdinBytes: process.stdinOffset } : {})
    }
    const last: ExecEvent = { _tag: "Detached", execId: id }
    if (input.withoutOutput === true && !payload.detach && process !== undefined) {
      return endAlone(started, command.log, Deferred.await(command.end))
    }
    if (reader === undefined || process === undefined) return noting(detached, oneBatch(started, last))
    const waitLimit = untilMs === undefined ? undefined : { untilMs, last }
    const pull = yield* pullOutput(started, command.log, reader, Deferred.await(command.end), {
      command,
      waitLimit,
      standstill
    })
    return waitLimit === undefined ? pull : noting(detached, pull)
  })

/** Notes when the caller has learned, by the event `Detached`, that the command continues. */
const noting = (detached: { isReported: boolean }, pull: ExecPull): ExecPull => (waitMs) =>
  Effect.tap(pull(waitMs), (events) => {
    detached.isReported ||= events.some(({ _tag }) => _tag === "Detached")
    return Effect.void
  })

/** The process after its start in the guest. `undefined` if the wait of the caller ends first. */
const startedBefore = ({ started }: Command, untilMs: number | undefined) =>
  untilMs === undefined
    ? Deferred.await(started)
    : Effect.flatMap(monotonicMs, (now) =>
      Effect.map(
        Effect.timeoutOption(Deferred.await(started), Math.max(LEAST_START_MS, untilMs - now)),
        Option.getOrUndefined
      ))

/** Whether this call started the command. False for a known id. */
const startUnknown = <E>(
  commands: Commands,
  generation: Effect.Effect<Running & { readonly memoryMib: number }, E>,
  payload: ExecPayload & { readonly execId: string },
  input: RunInput
) =>
  Effect.suspend((): Effect.Effect<boolean, E | ExecNotFound | InvalidRequest | NoSpace | StateDirectoryUnusable> => {
    if (commands.journal.get(payload.execId) !== undefined) return Effect.succeed(false)
    const { command, cursor, execId, script, tty, workspace } = payload
    if (cursor !== undefined || (command.length === 0 && script === undefined && !tty)) {
      return new ExecNotFound({ workspace, execId })
    }
    return Effect.flatMap(
      generation,
      (running) => Effect.map(commands.start(running, payload, input), ({ mine }) => mine)
    )
  })

/** The output and the end of an ended command, from its log. */
const replay = (commands: Commands, id: string, cursor: number, workspace: string, { withoutOutput }: RunInput) =>
  Effect.gen(function*() {
    const known = commands.journal.get(id)
    const log = commands.logs.get(id)
    if (known === undefined) return yield* new ExecNotFound({ workspace, execId: id })
    const { end } = known
    if (end === undefined || log === undefined) {
      return yield* new ChannelFailed({
        detail: "it is not known yet whether the command ran",
        next: [words("Ask again by its id")]
      })
    }
    const started: ExecEvent = { _tag: "Started", execId: id }
    if (withoutOutput === true) return endAlone(started, log, Effect.succeed(end))
    return yield* pullOutput(started, log, yield* listen(log, cursor), Effect.succeed(end))
  })
