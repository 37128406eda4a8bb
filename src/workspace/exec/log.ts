import { Effect } from "effect"
import * as fs from "node:fs"
import { InvalidRequest } from "../../contract/errors.ts"

/** A piece of a command's output, where it lies in the log. */
export interface LoggedPiece {
  readonly from: "stdout" | "stderr"
  readonly bytes: Uint8Array
  /** Position behind it: where to go on. */
  readonly next: number
}

const header = 5
/** Pieces come from frames of the channel, which are smaller. */
const maxPieceBytes = 1_048_576
/** Output kept of one command; what comes later is counted, handed to whoever is listening closely, and not kept. */
export const LOG_MAX_BYTES = 1_342_177_280

/**
 * The output of one command, in the order in which it came: `u8 output | u32 length | bytes` per piece. A cursor is a position
 * between two pieces. A piece that a crash cut short is dropped when the log is opened again: the guest still has it, because
 * only what was written here was acknowledged.
 */
export class CommandLog {
  readonly #file: string
  #fd: number | undefined
  /** Bytes of the file; also the cursor of its end. */
  position = 0
  /** Bytes that came in all, of either output. */
  readonly received = { stdout: 0, stderr: 0 }
  droppedBytes = 0
  #last: (LoggedPiece & { readonly at: number }) | undefined
  #waiting: Array<() => void> = []
  /** The command itself is one. */
  #users = 1
  ended = false

  constructor(file: string) {
    this.#file = file
  }

  /** Goes on with a log that an earlier process began. */
  static reopen(file: string): CommandLog {
    const log = new CommandLog(file)
    if (!fs.existsSync(file)) return log
    log.#fd = fs.openSync(file, "r+")
    const { size } = fs.fstatSync(log.#fd)
    const head = Buffer.alloc(header)
    while (log.position + header <= size && fs.readSync(log.#fd, head, 0, header, log.position) === header) {
      const length = head.readUInt32BE(1)
      if (length > maxPieceBytes || log.position + header + length > size) break
      log.received[head[0] === 1 ? "stdout" : "stderr"] += length
      log.position += header + length
    }
    fs.ftruncateSync(log.#fd, log.position)
    return log
  }

  /** Writes a piece; throws what the host's file system says. */
  append(from: "stdout" | "stderr", bytes: Uint8Array): void {
    if (bytes.length === 0) return
    if (this.position + header + bytes.length > LOG_MAX_BYTES) {
      this.received[from] += bytes.length
      this.droppedBytes += bytes.length
      return
    }
    this.#fd ??= fs.openSync(this.#file, "wx+", 0o600)
    const head = Buffer.allocUnsafe(header)
    head[0] = from === "stdout" ? 1 : 2
    head.writeUInt32BE(bytes.length, 1)
    writeWhole(this.#fd, [head, bytes], this.position)
    this.received[from] += bytes.length
    const at = this.position
    this.position += header + bytes.length
    this.#last = { from, bytes, at, next: this.position }
    this.#wake()
  }

  /** What lies at a cursor; nothing at the end. */
  at(cursor: number): LoggedPiece | undefined {
    if (cursor >= this.position) return undefined
    if (this.#last?.at === cursor) return this.#last
    return this.#fd === undefined ? undefined : pieceAt(this.#fd, cursor, this.position)
  }

  /** Calls back once when there is more, or the command has ended. */
  onMore(listener: () => void): () => void {
    this.#waiting.push(listener)
    return () => {
      this.#waiting = this.#waiting.filter((one) => one !== listener)
    }
  }

  /** Keeps the file open for a reader, until `release`. */
  retain(): void {
    this.#users++
  }

  /** A reader, or the command itself, is done with it. */
  release(): void {
    if (--this.#users > 0 || this.#fd === undefined) return
    fs.closeSync(this.#fd)
    this.#fd = undefined
    this.#last = undefined
  }

  end(): void {
    this.ended = true
    this.#wake()
    this.release()
  }

  #wake() {
    const waiting = this.#waiting
    this.#waiting = []
    for (const listener of waiting) listener()
  }
}

/** One write where the file system takes it whole, so that a crash leaves whole pieces but for the last. */
const writeWhole = (fd: number, parts: ReadonlyArray<Uint8Array>, position: number) => {
  const total = parts.reduce((sum, part) => sum + part.length, 0)
  let written = fs.writevSync(fd, parts, position)
  if (written === total) return
  const rest = Buffer.concat(parts)
  while (written < total) written += fs.writeSync(fd, rest, written, total - written, position + written)
}

const pieceAt = (fd: number, cursor: number, end: number): LoggedPiece => {
  const head = Buffer.alloc(header)
  const got = fs.readSync(fd, head, 0, header, cursor)
  const length = head.readUInt32BE(1)
  const next = cursor + header + length
  if (got < header || head[0]! < 1 || head[0]! > 2 || length > maxPieceBytes || next > end) {
    throw new InvalidRequest({
      field: "cursor",
      detail: `${cursor} is no place in this log; begin at 0 or at a next_cursor`
    })
  }
  const bytes = Buffer.allocUnsafe(length)
  fs.readSync(fd, bytes, 0, length, cursor + header)
  return { from: head[0] === 1 ? "stdout" : "stderr", bytes, next }
}

/** Pieces of a finished log from a cursor on, until they come to `maxBytes`; always one when there is one. */
export const readLog = (
  file: string,
  cursor: number,
  maxBytes: number
): Effect.Effect<{ readonly pieces: ReadonlyArray<LoggedPiece>; readonly end: number }, InvalidRequest> =>
  Effect.suspend(() => {
    if (!fs.existsSync(file)) return Effect.succeed({ pieces: [], end: 0 })
    const fd = fs.openSync(file, "r")
    try {
      const { size } = fs.fstatSync(fd)
      const pieces: Array<LoggedPiece> = []
      let [at, sum] = [cursor, 0]
      while (at < size) {
        const piece = pieceAt(fd, at, size)
        if (pieces.length > 0 && sum + piece.bytes.length > maxBytes) break
        pieces.push(piece)
        sum += piece.bytes.length
        at = piece.next
      }
      return Effect.succeed({ pieces, end: size })
    } catch (cause) {
      return cause instanceof InvalidRequest ? Effect.fail(cause) : Effect.die(cause)
    } finally {
      fs.closeSync(fd)
    }
  })
