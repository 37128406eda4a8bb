import { Schema } from "effect"
import * as fs from "node:fs"
import { CommandRole } from "../program/command-role.ts"

/** Size of a terminal, from this position of its output on. */
export const SizeAt = Schema.Struct({ at: Schema.Int, cols: Schema.Int, rows: Schema.Int })
export type SizeAt = typeof SizeAt.Type

export const Started = Schema.Struct({
  id: Schema.String,
  /** Absent: an exec. */
  role: Schema.optional(CommandRole),
  /** Shortened if it is long. */
  command: Schema.Array(Schema.String),
  startedAt: Schema.String,
  /** Time of the kill by its timeout, in ms since the epoch. */
  deadlineMs: Schema.optional(Schema.Number),
  /** Time from the signal to the kill. Absent: the default. */
  graceMs: Schema.optional(Schema.Number),
  /** Directory that it started in. Absent: /workspace. */
  cwd: Schema.optional(Schema.String),
  /** Absent: root. */
  user: Schema.optional(Schema.String),
  /** The command has a terminal. */
  tty: Schema.optional(Schema.Literal(true)),
  /** The words of the command do not tell its effect: its caller gives variables, or the workspace has variables that change the effect of programs. */
  variables: Schema.optional(Schema.Literal(true)),
  /** Sizes of a shell's terminal, in order. The first one is the size at the start. */
  sizes: Schema.optional(Schema.Array(SizeAt)),
  /** The command has a stdin for any caller. A caller has closed it. */
  stdin: Schema.optional(Schema.Literals(["open", "closed"])),
  /** Files in the guest with secrets of the command. pyro removes them after its end. */
  secretPaths: Schema.optional(Schema.Array(Schema.String)),
  /** Name and version of the MCP client that started it, in the client's own words. Absent for people and programs. */
  client: Schema.optional(Schema.String),
  /** It is no command of the guest: a candidate of a try became the workspace. */
  keeps: Schema.optional(Schema.Literal(true)),
  /** It is no command of the guest: an operation of pyro changes files. It has no log. */
  edits: Schema.optional(Schema.Literal(true)),
  /** The command ran before the workspace's current snapshot state. */
  inherited: Schema.optional(Schema.Literal(true)),
  /** A rewind restored the command: the journal already has an end of the command. */
  again: Schema.optional(Schema.Literal(true))
})

const Ended = Schema.Struct({
  id: Schema.String,
  /** `lost`: its VM ended first. */
  outcome: Schema.Literals(["exited", "signaled", "timed_out", "out_of_memory", "lost"]),
  status: Schema.optional(Schema.Int),
  signal: Schema.optional(Schema.Int),
  durationMs: Schema.optional(Schema.Number),
  stdoutBytes: Schema.Int,
  stderrBytes: Schema.Int,
  /** The operation failed and changed nothing. Only for operations of pyro. */
  changedNothing: Schema.optional(Schema.Literal(true)),
  /** Bytes of these that the log lacks. */
  droppedBytes: Schema.optional(Schema.Int)
})

/** A line of a workspace's journal of commands. `refused` revokes a start: the guest ran nothing. */
const Line = Schema.fromJsonString(
  Schema.Union([
    Schema.Struct({ started: Started }),
    Schema.Struct({ ended: Ended }),
    Schema.Struct({ stdinClosed: Schema.Struct({ id: Schema.String }) }),
    Schema.Struct({ refused: Schema.Struct({ id: Schema.String }) }),
    Schema.Struct({ resized: Schema.Struct({ id: Schema.String, ...SizeAt.fields }) })
  ])
)
type Line = typeof Line.Type

export type CommandStart = typeof Started.Type
export type CommandEnd = typeof Ended.Type

/** One command of a workspace: its start, and its end if it has ended. */
export interface JournaledCommand {
  readonly start: CommandStart
  readonly end: CommandEnd | undefined
}

/** Maximum number of sizes of a terminal that the journal remembers. The oldest go first. */
const MAX_SIZES = 256

/** Maximum number of characters of a command that the journal keeps: a script may have megabytes. */
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

/** Lists of commands, and the number of changes that they have. */
interface Lists {
  readonly changes: number
  readonly execs: ReadonlyArray<JournaledCommand>
  readonly steps: ReadonlyArray<JournaledCommand>
}

/**
 * Commands of a workspace in the order of their start. The journal writes a command before the guest gets the command. There is no fsync:
 * the line survives a killed process, and a crash of the host may lose it. A line is one write. A crash may cut the last line, which the
 * next process removes.
 */
export class CommandJournal {
  readonly #fd: number
  readonly #commands = new Map<string, JournaledCommand>()
  #ended = 0
  #changes = 0
  #listed: Lists = { changes: -1, execs: [], steps: [] }
  /** Bytes of the file that are whole lines. */
  #size: number
  /** Lines not yet written, for example because the disk was full. The next write begins with them. */
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

  /** Reads the whole lines of the file, and removes a line that a crash has cut. Gives the bytes of the whole lines. */
  #read() {
    const bytes = fs.readFileSync(this.#fd)
    const size = bytes.lastIndexOf(0x0a) + 1
    for (const line of bytes.toString("utf8", 0, size).split("\n").slice(0, -1)) {
      const read = Schema.decodeResult(Line)(line)
      if (read._tag === "Success") this.#apply(read.success)
    }
    if (size < bytes.length) fs.ftruncateSync(this.#fd, size)
    return size
  }

  get commands(): ReadonlyArray<JournaledCommand> {
    return [...this.#commands.values()]
  }

  /** Number of ends since this process opened the journal. */
  get endedCount(): number {
    return this.#ended
  }

  /** Number of changes since this process opened the journal. A watcher compares it with an earlier one. */
  get changes(): number {
    return this.#changes
  }

  /** Commands that are execs, in order. */
  get execs(): ReadonlyArray<JournaledCommand> {
    return this.#lists.execs
  }

  /** What a rewind can undo, in order: execs, and operations that change files. */
  get steps(): ReadonlyArray<JournaledCommand> {
    return this.#lists.steps
  }

  /** Made once after each change. */
  get #lists(): Lists {
    const { changes } = this.#listed
    if (changes !== this.#changes) {
      const steps = this.commands.filter(({ start }) => start.role === undefined)
      const execs = steps.filter(({ start }) => start.edits === undefined)
      this.#listed = { changes: this.#changes, execs, steps }
    }
    return this.#listed
  }

  get(id: string) {
    return this.#commands.get(id)
  }

  /** Whether the command was started and has no end yet. */
  isRunning(id: string) {
    const known = this.#commands.get(id)
    return known !== undefined && known.end === undefined
  }

  /** Throws errors of the host's file system. The journal then does not have the command. */
  started(start: CommandStart) {
    this.#writeNow({ started: { ...start, command: shortened(start.command) } })
  }

  /** Throws errors of the host's file system. The terminal then keeps its size. */
  resized(id: string, size: SizeAt) {
    this.#writeNow({ resized: { id, ...size } })
  }

  /** Throws errors of the host's file system. The stdin then stays open. */
  stdinClosed(id: string) {
    this.#writeNow({ stdinClosed: { id } })
  }

  /** Adds the end to memory. `flush` writes it to the file. */
  ended(end: CommandEnd) {
    this.#add({ ended: end })
  }

  /** Like `ended`. */
  refused(id: string) {
    this.#add({ refused: { id } })
  }

  /** Writes an end or a refusal. Never fails: on a full disk it returns false and the next write includes the line. */
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
    this.#changes += 1
    this.#commands.clear()
  }

  close() {
    this.flush()
    fs.closeSync(this.#fd)
  }

  #writeNow(line: Line) {
    this.#write([...this.#waiting, line])
    this.#apply(line)
  }

  #add(line: Line) {
    this.#apply(line)
    this.#waiting.push(line)
  }

  #write(lines: ReadonlyArray<Line>) {
    const bytes = Buffer.from(lines.map(encode).join(""))
    try {
      // After a partial write, the next write reports the error.
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
    this.#changes += 1
    if ("started" in line) this.#commands.set(line.started.id, { start: line.started, end: undefined })
    else if ("refused" in line) this.#commands.delete(line.refused.id)
    else if ("resized" in line) this.#resize(line.resized)
    else if ("stdinClosed" in line) this.#closeStdin(line.stdinClosed.id)
    else {
      const known = this.#commands.get(line.ended.id)
      this.#ended += 1
      if (known !== undefined) this.#commands.set(line.ended.id, { ...known, end: line.ended })
    }
  }

  #closeStdin(id: string) {
    const known = this.#commands.get(id)
    if (known !== undefined) this.#commands.set(id, { ...known, start: { ...known.start, stdin: "closed" } })
  }

  #resize({ id, ...size }: SizeAt & { readonly id: string }) {
    const known = this.#commands.get(id)
    if (known === undefined) return
    const before = (known.start.sizes ?? []).filter(({ at }) => at < size.at).slice(1 - MAX_SIZES)
    this.#commands.set(id, { ...known, start: { ...known.start, sizes: [...before, size] } })
  }
}

// Without the Schema, which takes ten times as long for plain JSON. Each command waits for the write of its line.
const encode = (line: Line) => JSON.stringify(line) + "\n"
