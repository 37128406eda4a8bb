import { Deferred, Effect, Exit, Option } from "effect"
import { ChannelFailed } from "../../../contract/errors/errors.ts"
import { words } from "../../../contract/errors/next-step.ts"
import type { GuestProcess, ProcessOutput } from "../../../lib/guest-channel/model/process.ts"
import type { CommandLog } from "../../../lib/output-log/log.ts"
import type { FilterPosition } from "../../../lib/redaction/filter.ts"
import { filterPieces, type SecretSource } from "../../../lib/redaction/process.ts"
import { startTimer } from "../../../system/waits/signal.ts"
import { nowMs } from "../../../system/waits/time.ts"
import { type EndingOptions, endOf, endProcess, ranOut } from "../program/command.ts"
import type { CommandEnd } from "./journal.ts"

/**
 * Maximum processes and threads of one command, per MiB of its VM. A process takes at least some 150 KiB, so a fork bomb meets this
 * limit before it has taken all memory.
 */
const PIDS_PER_MIB = 4

export const pidsMaxOf = (memoryMib: number) => Math.max(1024, memoryMib * PIDS_PER_MIB)

/** Maximum wait for a start after a command's own timeout. */
const GRACE_MS = 3_000

const notStartedInTime = Exit.fail(
  new ChannelFailed({
    detail: "the guest has not started the command within its time",
    next: [words("Ask again by its id")]
  })
)

/** Waits for the start without a limit. Its callers, who wait for `started`, stop after the command's own timeout. */
export const untilLate = <A, E, B, F>(
  started: Deferred.Deferred<B, F | ChannelFailed>,
  start: Effect.Effect<A, E>,
  timeMs: number
): Effect.Effect<A, E> =>
  Effect.suspend(() => {
    const overdue = startTimer(timeMs + GRACE_MS, () => Deferred.doneUnsafe(started, notStartedInTime))
    return Effect.ensuring(start, Effect.sync(overdue.cancel))
  })

/** Number of bytes without output after which the log gets the position of a filter. */
const MARKED_EVERY = 65_536
/**
 * Number of bytes that the guest keeps for a filter. pyro acknowledges a longer beginning of a secret before the log has it: the window of
 * a command's output is 1 MiB, and a full window would stop the command.
 */
const MAX_KEPT = 524_288

/** Appends output to the log. A gap before the output counts as lost: the guest sent those bytes while no process of pyro listened. */
const recordPlain = (log: CommandLog, { bytes, from, offset }: ProcessOutput) => {
  if (offset > log.received[from]) log.lose(from, offset - log.received[from])
  return log.append(from, bytes.subarray(log.received[from] - offset))
}

/** Appends output at once, or not at all. `recordPlain` tries again and reports a failure, which would end the guest's channel here. */
const tryRecordPlain = (log: CommandLog, { bytes, from, offset }: ProcessOutput) => {
  if (offset > log.received[from]) return false
  try {
    return log.tryAppend(from, bytes.subarray(log.received[from] - offset))
  } catch {
    return false
  }
}

/**
 * Records the output of a process until the output ends. The log, and everything that reads the log, gets no secret. The guest keeps
 * bytes that may begin a secret, so that the next process of pyro filters them again.
 */
const recordOutput = (
  process: GuestProcess,
  log: CommandLog,
  secrets: SecretSource
): Effect.Effect<void, ChannelFailed> =>
  Effect.suspend(() => {
    const filter = filterPieces(secrets, {
      begin: (from) => log.marks[from] ?? { from: log.received[from], done: log.received[from] },
      lose: (from, bytes) => log.lose(from, bytes),
      write: (from, output, stream) => {
        const mark = stream.position
        const marked = log.marks[from]
        const keep = ({ from: position }: FilterPosition) =>
          Effect.sync(() => process.keepFrom(from, Math.max(position, stream.end - MAX_KEPT)))
        return output.length === 0 && marked !== undefined && mark.from - marked.from < MARKED_EVERY
          ? keep(marked)
          : Effect.andThen(log.append(from, output, mark), keep(mark))
      }
    })
    const isPlain = ({ from }: ProcessOutput) => secrets.set === undefined && log.marks[from] === undefined
    const each = (piece: ProcessOutput) => isPlain(piece) ? recordPlain(log, piece) : filter.each(piece)
    const take = (piece: ProcessOutput) => isPlain(piece) && tryRecordPlain(log, piece)
    return Effect.andThen(process.forEachOutput(each, take), filter.rest)
  })

/** Maximum wait for the end of a killed command, in ms. Then pyro reports the end without the guest. */
const killGraceMs = 3_000

/** Reads a process to its end, and ends it with all its processes at its timeout. */
export const follow = (
  process: GuestProcess,
  log: CommandLog,
  time: { readonly startedAtMs: number; readonly deadlineMs: number | undefined; readonly ending: EndingOptions },
  secrets: SecretSource = { set: undefined }
): Effect.Effect<CommandEnd, ChannelFailed> =>
  Effect.gen(function*() {
    const whole = Effect.asSome(Effect.andThen(recordOutput(process, log, secrets), process.exit))
    let isOver = false
    const atDeadline = (deadlineMs: number) =>
      Effect.gen(function*() {
        yield* Effect.sleep(Math.max(0, deadlineMs - (yield* nowMs)))
        isOver = true
        yield* endProcess(process, "timeout", time.ending)
        yield* Effect.sleep(killGraceMs)
        return Option.none()
      })
    const exit = yield* time.deadlineMs === undefined ? whole : Effect.raceFirst(whole, atDeadline(time.deadlineMs))
    // Ends background processes that a signal handler left.
    if (isOver) yield* Effect.ignore(process.kill)
    const late = isOver && ranOut(Option.getOrUndefined(exit), time.ending)
    return {
      id: log.id,
      ...endOf(Option.getOrUndefined(exit), late),
      durationMs: Option.isSome(exit) ? exit.value.durationMs : (yield* nowMs) - time.startedAtMs,
      ...printed(log)
    }
  })

/** Size of a command's output, for its line of the journal. */
export const printed = ({ droppedBytes, received }: CommandLog) => ({
  stdoutBytes: received.stdout,
  stderrBytes: received.stderr,
  ...(droppedBytes === 0 ? {} : { droppedBytes })
})
