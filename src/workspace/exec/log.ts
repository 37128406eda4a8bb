import { Effect } from "effect"
import * as fs from "node:fs"
import type { LogRoom, ReadableLog, RecentPiece, Segment } from "./log-parts.ts"
import { LogReader } from "./log-reader.ts"
import { encodeHead, encodeStart, HEAD_BYTES, type OutputName, readStart, scan, type SegmentStart } from "./segment.ts"

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
  /** Bytes that came in all. */
  readonly received = { stdout: 0, stderr: 0 }
  droppedBytes = 0
  ended = false
  segments: Array<Segment> = []
  /** The piece that came last, for those who listen closely; the disk may not have taken it. */
  recent: RecentPiece | undefined
  #fd: number | undefined
  readonly #listeners = new Set<LogReader>()
  #more: Array<() => void> = []
  #moved: Array<() => void> = []

  constructor(store: LogRoom, id: string) {
    this.#store = store
    this.id = id
  }

  /** A log of an earlier process. `end`: what its command printed, when that has ended. */
  static found(store: LogRoom, id: string, numbers: ReadonlyArray<number>, end: LogEnd | undefined): CommandLog {
    const log = new CommandLog(store, id)
    for (const number of numbers.toSorted((a, b) => a - b)) {
      const { size } = fs.statSync(store.file(id, number))
      log.segments.push({ number, size, start: undefined })
      store.created()
      store.heldBytes += size
    }
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
    for (let last = this.segments.at(-1); last !== undefined; last = this.segments.at(-1)) {
      const fd = fs.openSync(this.#file(last), "r+")
      const start = readStart(fd)
      if (start === undefined) {
        fs.closeSync(fd)
        this.#remove(last)
        continue
      }
      const held = scan(fd, last.size)
      fs.ftruncateSync(fd, held.end)
      this.#store.heldBytes -= last.size - held.end
      last.size = held.end
      last.start = start
      this.#fd = fd
      this.received.stdout = start.stdout + held.stdout
      this.received.stderr = start.stderr + held.stderr
      this.droppedBytes = start.dropped
      return
    }
  }

  /** Where the next byte goes. */
  get position() {
    return total(this.received)
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
      if (!this.#makeRoom(HEAD_BYTES + bytes.length)) return Effect.zipRight(this.#move(), this.append(from, bytes))
      const written = this.#write(from, bytes)
      const segment = written ? this.segments.at(-1) : undefined
      const offset = segment === undefined ? 0 : segment.size - HEAD_BYTES - bytes.length
      this.recent = { from, bytes, start: this.position, segment, offset }
      this.received[from] += bytes.length
      this.#wake()
      return written ? Effect.void : this.#handOver(bytes.length)
    })
  }

  /** Counts output that is known to be gone. */
  lose(from: OutputName, bytes: number): void {
    if (this.ended) return
    this.#close()
    this.recent = undefined
    this.received[from] += bytes
    this.droppedBytes += bytes
  }

  /** No more will come. */
  end(): void {
    this.ended = true
    this.recent = undefined
    this.#close()
    this.#wake()
  }

  /** Takes its files away; what they held counts as dropped. */
  empty(): void {
    this.#close()
    for (const segment of [...this.segments]) this.#remove(segment)
    this.droppedBytes = this.position
  }

  reader(cursor: number): LogReader {
    return new LogReader(this, cursor)
  }

  /** A reader for whom output is kept until it has read it, or is closed. */
  listen(cursor: number): LogReader {
    const reader = new LogReader(this, cursor, () => this.#wakeMoved(), () => {
      this.#listeners.delete(reader)
      this.#wakeMoved()
    })
    this.#listeners.add(reader)
    return reader
  }

  /** Waits until there is more than the cursor, or no more to come, or the time is over. */
  more(cursor: number, waitMs?: number): Effect.Effect<void> {
    return Effect.async((resume) => {
      if (this.ended || this.position > cursor) return resume(Effect.void)
      const forget = () => {
        clearTimeout(timer)
        this.#more = this.#more.filter((one) => one !== listener)
      }
      const listener = () => {
        forget()
        resume(Effect.void)
      }
      const timer = waitMs === undefined ? undefined : setTimeout(listener, waitMs)
      this.#more.push(listener)
      return Effect.sync(forget)
    })
  }

  open(segment: Segment): number | undefined {
    try {
      return fs.openSync(this.#file(segment), "r")
    } catch {
      return undefined // gone meanwhile
    }
  }

  startOf(segment: Segment): SegmentStart | undefined {
    if (segment.start !== undefined) return segment.start
    const fd = this.open(segment)
    if (fd === undefined) return undefined
    try {
      return segment.start = readStart(fd)
    } finally {
      fs.closeSync(fd)
    }
  }

  #file({ number }: Segment) {
    return this.#store.file(this.id, number)
  }

  /** Whether a piece can be written now; false while somebody still needs what has to go for it. */
  #makeRoom(bytes: number): boolean {
    const last = this.segments.at(-1)
    const { headSegments, segmentBytes, segments } = this.#store.limits
    if (this.#fd !== undefined && last !== undefined && last.size + bytes <= segmentBytes) return true
    while (this.segments.length >= segments || !this.#store.makeRoom()) {
      const at = Math.min(headSegments, this.segments.length - 1)
      const victim = this.segments[at]
      if (victim === undefined) break
      const next = this.segments[at + 1]
      const end = next === undefined ? this.position : total(this.startOf(next) ?? this.received)
      for (const { position } of this.#listeners) if (position < end) return false
      this.#drop(victim)
    }
    this.#close()
    return true
  }

  #drop(segment: Segment) {
    const fd = this.open(segment)
    if (fd !== undefined) {
      this.droppedBytes += total(scan(fd, segment.size))
      fs.closeSync(fd)
    }
    this.#remove(segment)
  }

  #remove(segment: Segment) {
    if (segment === this.segments.at(-1)) this.#close()
    this.segments = this.segments.filter((one) => one !== segment)
    fs.rmSync(this.#file(segment), { force: true })
    this.#store.removed(segment.size)
  }

  /** False where the host's file system does not take it; nothing of it is kept then. */
  #write(from: OutputName, bytes: Uint8Array): boolean {
    const last = this.segments.at(-1)
    const parts = [encodeHead(from, bytes.length), bytes]
    try {
      if (this.#fd !== undefined && last !== undefined) {
        writeWhole(this.#fd, parts, last.size)
        last.size += HEAD_BYTES + bytes.length
        this.#store.heldBytes += HEAD_BYTES + bytes.length
        return true
      }
      const start = { ...this.received, dropped: this.droppedBytes }
      const segment: Segment = { number: (last?.number ?? -1) + 1, size: 0, start }
      this.#fd = fs.openSync(this.#file(segment), "wx", 0o600)
      this.segments.push(segment)
      this.#store.created()
      const header = encodeStart(start)
      writeWhole(this.#fd, [header, ...parts], 0)
      segment.size = header.length + HEAD_BYTES + bytes.length
      this.#store.heldBytes += segment.size
      return true
    } catch {
      this.#undo()
      return false
    }
  }

  /** Takes back what a write left that failed. The next one begins a file of its own. */
  #undo() {
    const last = this.segments.at(-1)
    if (this.#fd === undefined || last === undefined) return
    if (last.size === 0) return this.#remove(last)
    try {
      fs.ftruncateSync(this.#fd, last.size)
    } catch { /* a cut piece is none */ }
    this.#close()
  }

  /** Waits until everybody who listens has heard what the disk did not take. */
  #handOver(bytes: number): Effect.Effect<void> {
    return Effect.suspend(() => {
      const { position } = this
      for (const listener of this.#listeners) {
        if (listener.position < position) return Effect.zipRight(this.#move(), this.#handOver(bytes))
      }
      this.droppedBytes += bytes
      return Effect.void
    })
  }

  /** Waits until somebody who listens has come on, or left. */
  #move(): Effect.Effect<void> {
    return Effect.async((resume) => {
      const listener = () => resume(Effect.void)
      this.#moved.push(listener)
      return Effect.sync(() => {
        this.#moved = this.#moved.filter((one) => one !== listener)
      })
    })
  }

  #close() {
    if (this.#fd !== undefined) fs.closeSync(this.#fd)
    this.#fd = undefined
  }

  #wake() {
    for (const listener of this.#more.splice(0)) listener()
  }

  #wakeMoved() {
    for (const listener of this.#moved.splice(0)) listener()
  }
}

/** One write where the file system takes it whole, so that a crash leaves whole pieces but for the last. */
const writeWhole = (fd: number, parts: ReadonlyArray<Uint8Array>, position: number) => {
  const bytes = parts.reduce((sum, part) => sum + part.length, 0)
  let written = fs.writevSync(fd, parts, position)
  if (written === bytes) return
  const rest = Buffer.concat(parts)
  while (written < bytes) written += fs.writeSync(fd, rest, written, bytes - written, position + written)
}
