import { Schema } from "effect"
import * as fs from "node:fs"

export const Started = Schema.Struct({
  id: Schema.String,
  /** Cut where it is long. */
  command: Schema.Array(Schema.String),
  startedAt: Schema.String,
  /** When it is killed, in ms since the epoch. */
  deadlineMs: Schema.optional(Schema.Number),
  /** From the signal that ends it to the kill, where that is not the default. */
  graceMs: Schema.optional(Schema.Number),
  /** It runs on a terminal. */
  tty: Schema.optional(Schema.Literal(true)),
  /** It ran before the workspace went on from where it is. */
  inherited: Schema.optional(Schema.Literal(true))
})

const Ended = Schema.Struct({
  id: Schema.String,
  /** `lost`: its VM ended first. */
  outcome: Schema.Literal("exited", "signaled", "timed_out", "out_of_memory", "lost"),
  status: Schema.optional(Schema.Int),
  signal: Schema.optional(Schema.Int),
  durationMs: Schema.optional(Schema.Number),
  stdoutBytes: Schema.Int,
  stderrBytes: Schema.Int,
  /** Of these, what the log does not have. */
  droppedBytes: Schema.optional(Schema.Int)
})

/** A line of a workspace's journal of commands. `refused` takes a start back: the guest ran nothing. */
const Line = Schema.parseJson(
  Schema.Union(
    Schema.Struct({ started: Started }),
    Schema.Struct({ ended: Ended }),
    Schema.Struct({ refused: Schema.Struct({ id: Schema.String }) })
  )
)
type Line = typeof Line.Type

export type CommandStart = typeof Started.Type
export type CommandEnd = typeof Ended.Type

/** One command of a workspace: how it was started, and how it ended when it has. */
export interface JournaledCommand {
  readonly start: CommandStart
  readonly end: CommandEnd | undefined
}

/** Characters of a command that the journal keeps: a script may be megabytes. */
const COMMAND_CHARACTERS = 4_096

const shortened = (command: ReadonlyArray<string>) => {
  let left = COMMAND_CHARACTERS
  const kept: Array<string> = []
  for (const word of command) {
    if (left <= 0) return [...kept, "…"]
    kept.push(word.length > left ? `${word.slice(0, left)}…` : word)
    left -= word.length + 1
  }
  return kept
}

/**
 * Commands of a workspace in the order of their start, on disk before the guest hears of them. A line is one write; the last one
 * may be cut by a crash and is then no line.
 */
export class CommandJournal {
  readonly #fd: number
  readonly #commands = new Map<string, JournaledCommand>()
  /** Bytes of the file that are whole lines. */
  #size: number
  /** Lines that are to be written yet, or that the disk had no room for; they go ahead of the next one. */
  #waiting: Array<Line> = []

  constructor(file: string) {
    this.#fd = fs.openSync(file, fs.constants.O_RDWR | fs.constants.O_CREAT, 0o600)
    try {
      this.#size = this.#read()
    } catch (cause) {
      fs.closeSync(this.#fd)
      throw cause
    }
  }

  /** Takes up the whole lines of the file, and cuts a line that a crash has cut. Gives the bytes of the whole lines. */
  #read() {
    const bytes = fs.readFileSync(this.#fd)
    const size = bytes.lastIndexOf(0x0a) + 1
    for (const line of bytes.toString("utf8", 0, size).split("\n").slice(0, -1)) {
      const read = Schema.decodeEither(Line)(line)
      if (read._tag === "Right") this.#apply(read.right)
    }
    if (size < bytes.length) fs.ftruncateSync(this.#fd, size)
    return size
  }

  get commands(): ReadonlyArray<JournaledCommand> {
    return [...this.#commands.values()]
  }

  get(id: string) {
    return this.#commands.get(id)
  }

  /** Whether it was started and has no end yet. */
  isRunning(id: string) {
    const known = this.#commands.get(id)
    return known !== undefined && known.end === undefined
  }

  /** Throws what the host's file system says; the command is not known then. */
  started(start: CommandStart) {
    const line: Line = { started: { ...start, command: shortened(start.command) } }
    this.#write([...this.#waiting, line])
    this.#apply(line)
  }

  /** Known from now on; with `flush` it is on disk. */
  ended(end: CommandEnd) {
    this.#add({ ended: end })
  }

  /** Like `ended`. */
  refused(id: string) {
    this.#add({ refused: { id } })
  }

  /** Writes what has ended or was refused. Never fails: on a full disk it is written later, with the next line. False then. */
  flush(): boolean {
    if (this.#waiting.length === 0) return true
    try {
      this.#write(this.#waiting)
      return true
    } catch {
      return false
    }
  }

  clear() {
    fs.ftruncateSync(this.#fd, 0)
    this.#size = 0
    this.#waiting = []
    this.#commands.clear()
  }

  close() {
    this.flush()
    fs.closeSync(this.#fd)
  }

  #add(line: Line) {
    this.#apply(line)
    this.#waiting.push(line)
  }

  #write(lines: ReadonlyArray<Line>) {
    const bytes = Buffer.from(lines.map(encode).join(""))
    try {
      // A disk that takes a part of it says with the next part why.
      for (let written = 0; written < bytes.length;) {
        written += fs.writeSync(this.#fd, bytes, written, bytes.length - written, this.#size + written)
      }
    } catch (cause) {
      fs.ftruncateSync(this.#fd, this.#size)
      throw cause
    }
    this.#size += bytes.length
    this.#waiting = []
  }

  #apply(line: Line) {
    if ("started" in line) this.#commands.set(line.started.id, { start: line.started, end: undefined })
    else if ("refused" in line) this.#commands.delete(line.refused.id)
    else {
      const known = this.#commands.get(line.ended.id)
      if (known !== undefined) this.#commands.set(line.ended.id, { ...known, end: line.ended })
    }
  }
}

// Its types are plain JSON's, and to have a Schema say so takes ten times as long: a command waits for its line.
const encode = (line: Line) => JSON.stringify(line) + "\n"
