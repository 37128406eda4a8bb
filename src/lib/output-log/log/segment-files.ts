import * as fs from "node:fs"
import {
  encodeHead,
  encodeMark,
  encodeStart,
  type Marks,
  type OutputName,
  readStart,
  scan,
  type SegmentStart,
  START_BYTES
} from "./segment.ts"

/** One file of a log. */
export interface Segment {
  readonly number: number
  /** Bytes of the file that are whole pieces. */
  size: number
  /** Read at the first use. */
  start: SegmentStart | undefined
}

export interface LogLimits {
  /** Size of a file, in `bytes`. */
  readonly segmentBytes: number
  /** Number of files per command that hold its first output and stay. */
  readonly headSegments: number
  /** Number of files per command in all. The others hold its newest output. */
  readonly segments: number
  /** Maximum `bytes` of all commands of a workspace. */
  readonly workspaceBytes: number
}

/** Space that a log shares with others. */
export interface LogRoom {
  readonly limits: LogLimits
  /** Space of all logs, in `bytes`. */
  heldBytes: number
  readonly file: (id: string, number: number) => string
  readonly created: () => void
  readonly removed: (size: number) => void
  /** Frees space for one more file. False if no file may be removed. */
  readonly makeRoom: () => boolean
}

/** Output for a log, and the position of its filter if there is one. */
export interface LogPiece {
  readonly from: OutputName
  /** May be empty if the position alone changes. */
  readonly bytes: Uint8Array
  /** All positions after the piece. */
  readonly marks: Marks
}

/** The files of one command's output, oldest first. An open log writes the last one. */
export class LogFiles {
  readonly #store: LogRoom
  readonly #id: string
  segments: ReadonlyArray<Segment> = []
  #fd: number | undefined

  constructor(store: LogRoom, id: string) {
    this.#store = store
    this.#id = id
  }

  /** Takes over files of an earlier process, by number. */
  found(numbers: ReadonlyArray<number>): void {
    this.segments = numbers.toSorted((a, b) => a - b).map((number) => {
      const { size } = fs.statSync(this.#store.file(this.#id, number))
      this.#store.created()
      this.#store.heldBytes += size
      return { number, size, start: undefined }
    })
  }

  /** Opens the last file after its last whole piece, and gives totals and marks at this point. None without a file. */
  resume(): (SegmentStart & { readonly marks: Marks }) | undefined {
    for (let last = this.segments.at(-1); last !== undefined; last = this.segments.at(-1)) {
      const fd = fs.openSync(this.#file(last), "r+")
      const start = readStart(fd)
      if (start === undefined) {
        fs.closeSync(fd)
        this.remove(last)
        continue
      }
      const held = scan(fd, last.size)
      fs.ftruncateSync(fd, held.end)
      this.#store.heldBytes -= last.size - held.end
      last.size = held.end
      last.start = start
      this.#fd = fd
      return {
        stdout: start.stdout + held.stdout,
        stderr: start.stderr + held.stderr,
        dropped: start.dropped,
        marks: held.marks
      }
    }
    return undefined
  }

  /** Offset of the next piece. */
  get end(): number {
    return this.#fd === undefined ? START_BYTES : this.segments.at(-1)?.size ?? START_BYTES
  }

  /** Whether the open file has room for so many bytes more. */
  hasRoom(bytes: number): boolean {
    const last = this.segments.at(-1)
    return this.#fd !== undefined && last !== undefined && last.size + bytes <= this.#store.limits.segmentBytes
  }

  /**
   * Writes a piece to the open file, or to a new one that begins with `start`. If the host's file system refuses the piece, the log keeps
   * no byte of the piece, and the result is false.
   */
  write({ bytes, from, marks }: LogPiece, start: () => SegmentStart): boolean {
    const last = this.segments.at(-1)
    const isOpen = this.#fd !== undefined && last !== undefined
    // A file has the marks of both outputs: the files before it may go.
    const marked = isOpen ? [from] : (["stdout", "stderr"] as const)
    const parts = [
      ...(bytes.length === 0 ? [] : [encodeHead(from, bytes.length), bytes]),
      ...marked.flatMap((output) => marks[output] === undefined ? [] : [encodeMark(output, marks[output])])
    ]
    try {
      if (isOpen) {
        writeWhole(this.#fd!, parts, last.size)
        const size = sizeOf(parts)
        last.size += size
        this.#store.heldBytes += size
      } else this.#begin(parts, (last?.number ?? -1) + 1, start())
      return true
    } catch {
      this.#undo()
      return false
    }
  }

  #begin(parts: ReadonlyArray<Uint8Array>, number: number, start: SegmentStart) {
    const segment: Segment = { number, size: 0, start }
    this.#fd = fs.openSync(this.#file(segment), "wx", 0o600)
    this.segments = [...this.segments, segment]
    this.#store.created()
    const whole = [encodeStart(start), ...parts]
    writeWhole(this.#fd, whole, 0)
    segment.size = sizeOf(whole)
    this.#store.heldBytes += segment.size
  }

  /** Removes the bytes of a failed write. The next write begins a new file. */
  #undo() {
    const last = this.segments.at(-1)
    if (this.#fd === undefined || last === undefined) return
    if (last.size === 0) return this.remove(last)
    try {
      fs.ftruncateSync(this.#fd, last.size)
    } catch { /* readers ignore the bytes after the last whole piece */ }
    this.close()
  }

  open(segment: Segment): number | undefined {
    try {
      return fs.openSync(this.#file(segment), "r")
    } catch {
      return undefined // removed meanwhile
    }
  }

  startOf(segment: Segment): SegmentStart | undefined {
    return segment.start ??= this.#reading(segment, readStart)
  }

  /** How many bytes of output a file has. */
  outputOf(segment: Segment): number {
    const held = this.#reading(segment, (fd) => scan(fd, segment.size))
    return held === undefined ? 0 : held.stdout + held.stderr
  }

  #reading<A>(segment: Segment, read: (fd: number) => A): A | undefined {
    const fd = this.open(segment)
    if (fd === undefined) return undefined
    try {
      return read(fd)
    } finally {
      fs.closeSync(fd)
    }
  }

  /** Removes a file. If this fails, the next process that opens the logs finds the file again. */
  remove(segment: Segment): void {
    if (segment === this.segments.at(-1)) this.close()
    this.segments = this.segments.filter((one) => one !== segment)
    try {
      fs.rmSync(this.#file(segment), { force: true })
    } catch { /* nothing reads the file any more */ }
    this.#store.removed(segment.size)
  }

  /** The next write begins a new file. */
  close(): void {
    if (this.#fd !== undefined) fs.closeSync(this.#fd)
    this.#fd = undefined
  }

  #file({ number }: Segment) {
    return this.#store.file(this.#id, number)
  }
}

const sizeOf = (parts: ReadonlyArray<Uint8Array>) => parts.reduce((sum, part) => sum + part.length, 0)

/** Makes one write if the file system takes all bytes at once, so that a crash can cut only the last piece. */
const writeWhole = (fd: number, parts: ReadonlyArray<Uint8Array>, position: number) => {
  const bytes = sizeOf(parts)
  let written = fs.writevSync(fd, parts, position)
  if (written === bytes) return
  const rest = Buffer.concat(parts)
  while (written < bytes) written += fs.writeSync(fd, rest, written, bytes - written, position + written)
}
