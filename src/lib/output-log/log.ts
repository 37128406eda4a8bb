import { Effect } from "effect"
import { Waiters } from "../../system/waits/signal.ts"
import { LogReader, type ReadableLog, type RecentPiece } from "./log/reader.ts"
import { LogFiles, type LogRoom, type Segment } from "./log/segment-files.ts"
import { HEAD_BYTES, type Mark, MARK_BYTES, type Marks, type OutputName, type SegmentStart } from "./log/segment.ts"

export type { LogReader }

/** Known facts about the output of an ended command. */
export interface LogEnd {
  readonly stdoutBytes: number
  readonly stderrBytes: number
  readonly droppedBytes?: number | undefined
}

const total = ({ stderr, stdout }: { readonly stdout: number; readonly stderr: number }) => stdout + stderr

/**
 * The output of one command, in order of arrival. A cursor counts the bytes of stdout and stderr together. The first files and the
 * newest ones are kept. A listener gets all output: the log keeps output that a listener has not read, and the command waits.
 */
export class CommandLog implements ReadableLog {
  readonly id: string
  readonly #store: LogRoom
  readonly #files: LogFiles
  /** Number of bytes of each output so far, including dropped bytes. */
  readonly received = { stdout: 0, stderr: 0 }
  droppedBytes = 0
  ended = false
  /** Position of each output's filter. An output without a filter has no mark. */
  marks: Marks = {}
  /** The latest piece, for listeners at the end of the log. The disk may not have it. */
  recent: RecentPiece | undefined
  readonly #listeners = new Set<LogReader>()
  /** Signals more output, or the end. */
  readonly #more = new Waiters()
  /** Signals progress or departure of a listener. */
  readonly #moved = new Waiters()

  constructor(store: LogRoom, id: string) {
    this.#store = store
    this.#files = new LogFiles(store, id)
    this.id = id
  }

  /** A log of an earlier process. `end`: the output sizes of a command that has ended. */
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

  /** Continues a log of an earlier process, or of a VM that was paused, after its last whole piece. */
  resume(): void {
    this.ended = false
    const came = this.#files.resume()
    if (came === undefined) return
    this.received.stdout = came.stdout
    this.received.stderr = came.stderr
    this.droppedBytes = came.dropped
    this.marks = came.marks
  }

  /** Number of bytes of an output that the guest need not send again. */
  taken(from: OutputName): number {
    return this.marks[from]?.from ?? this.received[from]
  }

  /** Position of the next byte. */
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
   * Adds a piece. Waits only if the log would have to remove output that a listener has not read. Never fails: the log counts lost bytes.
   * Discards a piece after the end: the VM before a reset runs for another moment, and its files may belong to another log.
   *
   * `mark`: the position of the output's filter after the piece, which may be empty.
   */
  append(from: OutputName, bytes: Uint8Array, mark?: Mark): Effect.Effect<void> {
    return Effect.suspend(() => {
      if ((bytes.length === 0 && mark === undefined) || this.ended) return Effect.void
      const needed = HEAD_BYTES + bytes.length + (mark === undefined ? 0 : 2 * MARK_BYTES)
      if (!this.#makeRoom(needed)) {
        return Effect.andThen(this.#moved.wait(() => this.#makeRoom(needed)), this.append(from, bytes, mark))
      }
      if (mark !== undefined) this.marks = { ...this.marks, [from]: mark }
      const begin = this.#files.end
      const written = this.#write(from, bytes)
      if (bytes.length === 0) return Effect.void
      this.#came(from, bytes, written ? begin : undefined)
      return written ? Effect.void : this.#handOver(bytes.length)
    })
  }

  /** Adds a piece without a mark at once, or adds nothing: then `append` has to wait. */
  tryAppend(from: OutputName, bytes: Uint8Array): boolean {
    if (bytes.length === 0 || this.ended) return true
    if (!this.#makeRoom(HEAD_BYTES + bytes.length)) return false
    const begin = this.#files.end
    if (!this.#write(from, bytes)) return false
    this.#came(from, bytes, begin)
    return true
  }

  #write(from: OutputName, bytes: Uint8Array) {
    return this.#files.write(
      { from, bytes, marks: this.marks },
      () => ({ ...this.received, dropped: this.droppedBytes })
    )
  }

  /** `offset`: where the last file has the piece, if the disk took the piece. */
  #came(from: OutputName, bytes: Uint8Array, offset: number | undefined) {
    const segment = offset === undefined ? undefined : this.segments.at(-1)
    this.recent = { from, bytes, start: this.position, segment, offset: segment === undefined ? 0 : offset ?? 0 }
    this.received[from] += bytes.length
    this.#more.wake()
  }

  /** Counts output that is lost. */
  lose(from: OutputName, bytes: number): void {
    if (this.ended) return
    this.#files.close()
    this.recent = undefined
    this.received[from] += bytes
    this.droppedBytes += bytes
  }

  /** Ends the log. */
  end(): void {
    this.ended = true
    this.recent = undefined
    this.#files.close()
    this.#more.wake()
  }

  /** Removes its files. Their output counts as dropped. */
  empty(): void {
    for (const segment of this.segments) this.#files.remove(segment)
    this.droppedBytes = this.position
  }

  reader(cursor: number): LogReader {
    return new LogReader(this, cursor)
  }

  /** Output from a cursor on, at most `maxBytes`. Ends before a gap, unless the gap comes first. */
  page(cursor: number, maxBytes: number): ReturnType<LogReader["page"]> {
    const reader = this.reader(cursor)
    try {
      return reader.page(maxBytes)
    } finally {
      reader.close()
    }
  }

  /** A reader that keeps unread output in the log until the reader is closed. */
  listen(cursor: number): LogReader {
    const reader = new LogReader(this, cursor, () => this.#moved.wake(), () => {
      this.#listeners.delete(reader)
      this.#moved.wake()
    })
    this.#listeners.add(reader)
    return reader
  }

  /** Waits for output after the cursor, the end of the log, or the deadline. */
  more(cursor: number, waitMs?: number): Effect.Effect<void> {
    return this.#more.wait(() => this.ended || this.position > cursor, waitMs)
  }

  open(segment: Segment): number | undefined {
    return this.#files.open(segment)
  }

  startOf(segment: Segment): SegmentStart | undefined {
    return this.#files.startOf(segment)
  }

  /** Makes room for a piece. False while a listener has not read output that would have to be removed. */
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

  /** Waits until all listeners have read the output that the disk did not take. */
  #handOver(bytes: number): Effect.Effect<void> {
    return Effect.suspend(() => {
      const { position } = this
      const isRead = () => [...this.#listeners].every((listener) => listener.position >= position)
      if (!isRead()) return Effect.andThen(this.#moved.wait(isRead), this.#handOver(bytes))
      this.droppedBytes += bytes
      return Effect.void
    })
  }
}
