import { Effect } from "effect"
import { LogFiles } from "./log-files.ts"
import type { LogRoom, ReadableLog, RecentPiece, Segment } from "./log-parts.ts"
import { LogReader } from "./log-reader.ts"
import { HEAD_BYTES, type OutputName, type SegmentStart } from "./segment.ts"
import { Waiters } from "./waiters.ts"

/** What is known of the output of a command that has ended. */
export interface LogEnd {
  readonly stdoutBytes: number
  readonly stderrBytes: number
  readonly droppedBytes?: number | undefined
}

const total = ({ stderr, stdout }: { readonly stdout: number; readonly stderr: number }) => stdout + stderr

/**
 * The output of one command, in the order in which it came. A cursor counts its bytes, stdout and stderr together. The first
 * files and the newest ones are kept; whoever listens gets everything all the same: what they have not heard yet does not go, and
 * the command waits.
 */
export class CommandLog implements ReadableLog {
  readonly id: string
  readonly #store: LogRoom
  readonly #files: LogFiles
  /** Bytes that came in all. */
  readonly received = { stdout: 0, stderr: 0 }
  droppedBytes = 0
  ended = false
  /** The piece that came last, for those who listen closely; the disk may not have taken it. */
  recent: RecentPiece | undefined
  readonly #listeners = new Set<LogReader>()
  /** For more output, or its end. */
  readonly #more = new Waiters()
  /** For those who listen to come on, or to leave. */
  readonly #moved = new Waiters()

  constructor(store: LogRoom, id: string) {
    this.#store = store
    this.#files = new LogFiles(store, id)
    this.id = id
  }

  /** A log of an earlier process. `end`: what its command printed, when that has ended. */
  static found(store: LogRoom, id: string, numbers: ReadonlyArray<number>, end: LogEnd | undefined): CommandLog {
    const log = new CommandLog(store, id)
    log.#files.found(numbers)
    if (end !== undefined) {
      log.received.stdout = end.stdoutBytes
      log.received.stderr = end.stderrBytes
      log.droppedBytes = numbers.length === 0 ? log.position : end.droppedBytes ?? 0
      log.ended = true
    }
    return log
  }

  /** Goes on with a log of an earlier process, behind its last whole piece. */
  resume(): void {
    const came = this.#files.resume()
    if (came === undefined) return
    this.received.stdout = came.stdout
    this.received.stderr = came.stderr
    this.droppedBytes = came.dropped
  }

  /** Where the next byte goes. */
  get position() {
    return total(this.received)
  }

  get segments() {
    return this.#files.segments
  }

  get isHeard() {
    return this.#listeners.size > 0
  }

  /**
   * Adds a piece. Waits only for those who listen, where what they need would have to go. Never fails: a loss is counted. What comes
   * after the end is nobody's: a VM that a reset left behind runs for another moment, and its files may be another log's by then.
   */
  append(from: OutputName, bytes: Uint8Array): Effect.Effect<void> {
    return Effect.suspend(() => {
      if (bytes.length === 0 || this.ended) return Effect.void
      if (!this.#makeRoom(HEAD_BYTES + bytes.length)) {
        return Effect.zipRight(this.#moved.wait(), this.append(from, bytes))
      }
      const written = this.#files.write(from, bytes, () => ({ ...this.received, dropped: this.droppedBytes }))
      const segment = written ? this.segments.at(-1) : undefined
      const offset = segment === undefined ? 0 : segment.size - HEAD_BYTES - bytes.length
      this.recent = { from, bytes, start: this.position, segment, offset }
      this.received[from] += bytes.length
      this.#more.wake()
      return written ? Effect.void : this.#handOver(bytes.length)
    })
  }

  /** Counts output that is known to be gone. */
  lose(from: OutputName, bytes: number): void {
    if (this.ended) return
    this.#files.close()
    this.recent = undefined
    this.received[from] += bytes
    this.droppedBytes += bytes
  }

  /** No more will come. */
  end(): void {
    this.ended = true
    this.recent = undefined
    this.#files.close()
    this.#more.wake()
  }

  /** Takes its files away; what they held counts as dropped. */
  empty(): void {
    for (const segment of this.segments) this.#files.remove(segment)
    this.droppedBytes = this.position
  }

  reader(cursor: number): LogReader {
    return new LogReader(this, cursor)
  }

  /** A reader for whom output is kept until it has read it, or is closed. */
  listen(cursor: number): LogReader {
    const reader = new LogReader(this, cursor, () => this.#moved.wake(), () => {
      this.#listeners.delete(reader)
      this.#moved.wake()
    })
    this.#listeners.add(reader)
    return reader
  }

  /** Waits until there is more than the cursor, or no more to come, or the time is over. */
  more(cursor: number, waitMs?: number): Effect.Effect<void> {
    return this.#more.wait(() => this.ended || this.position > cursor, waitMs)
  }

  open(segment: Segment): number | undefined {
    return this.#files.open(segment)
  }

  startOf(segment: Segment): SegmentStart | undefined {
    return this.#files.startOf(segment)
  }

  /** Whether a piece can be written now; false while somebody still needs what has to go for it. */
  #makeRoom(bytes: number): boolean {
    if (this.#files.hasRoom(bytes)) return true
    const { headSegments, segments } = this.#store.limits
    while (this.segments.length >= segments || !this.#store.makeRoom()) {
      const at = Math.min(headSegments, this.segments.length - 1)
      const victim = this.segments[at]
      if (victim === undefined) break
      const next = this.segments[at + 1]
      const end = next === undefined ? this.position : total(this.startOf(next) ?? this.received)
      for (const { position } of this.#listeners) if (position < end) return false
      this.droppedBytes += this.#files.outputOf(victim)
      this.#files.remove(victim)
    }
    this.#files.close()
    return true
  }

  /** Waits until everybody who listens has heard what the disk did not take. */
  #handOver(bytes: number): Effect.Effect<void> {
    return Effect.suspend(() => {
      const { position } = this
      for (const listener of this.#listeners) {
        if (listener.position < position) return Effect.zipRight(this.#moved.wait(), this.#handOver(bytes))
      }
      this.droppedBytes += bytes
      return Effect.void
    })
  }
}
