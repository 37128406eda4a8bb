import { Effect } from "effect"
import type { ChannelFailed } from "../../../contract/errors/errors.ts"
import type { GuestProcess, ProcessOutput } from "../../../guest-channel/process.ts"
import type { CommandLog } from "../../../output-log/log.ts"
import { filterPieces, type FilterPosition, type SecretSource } from "../../../redaction/filter.ts"

/** A filter's position alone, without output, is written after this many bytes. */
const MARKED_EVERY = 65_536
/**
 * Number of bytes that the guest keeps for a filter. A longer beginning of a secret is acknowledged before the log has it: the window of
 * a command's output is 1 MiB, and with a full window the command would stop.
 */
const MAX_KEPT = 524_288

/** Output goes into the log. Output that the log missed while no process listened to the guest counts as lost. */
const recordPlain = (log: CommandLog, { bytes, from, offset }: ProcessOutput) => {
  if (offset > log.received[from]) log.lose(from, offset - log.received[from])
  return log.append(from, bytes.subarray(log.received[from] - offset))
}

/** The same at once, or not at all. A failure is that of the second attempt: here it would end the guest's channel. */
const tryRecordPlain = (log: CommandLog, { bytes, from, offset }: ProcessOutput) => {
  if (offset > log.received[from]) return false
  try {
    return log.tryAppend(from, bytes.subarray(log.received[from] - offset))
  } catch {
    return false
  }
}

/**
 * Records the output of a process until the output ends. The log, and everything that reads the log, gets no secret. The guest keeps the
 * bytes that may begin one, so that the next process of pyro filters them again.
 */
export const recordOutput = (
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
