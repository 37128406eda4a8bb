import { Schema } from "effect"
import * as fs from "node:fs"

const Started = Schema.Struct({
  id: Schema.String,
  command: Schema.Array(Schema.String),
  startedAt: Schema.String,
  /** When it is killed, in ms since the epoch. */
  deadlineMs: Schema.optional(Schema.Number)
})

const Ended = Schema.Struct({
  id: Schema.String,
  /** `lost`: its VM ended first. */
  outcome: Schema.Literal("exited", "signaled", "timed_out", "out_of_memory", "lost"),
  status: Schema.optional(Schema.Int),
  signal: Schema.optional(Schema.Int),
  durationMs: Schema.optional(Schema.Number),
  stdoutBytes: Schema.Int,
  stderrBytes: Schema.Int
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

/**
 * Commands of a workspace in the order of their start, on disk before the guest hears of them. A line is one write; the last one
 * may be cut by a crash and is then no line.
 */
export class CommandJournal {
  readonly #fd: number
  readonly #commands = new Map<string, JournaledCommand>()

  constructor(file: string) {
    this.#fd = fs.openSync(file, "a+", 0o600)
    const text = fs.readFileSync(file, "utf8")
    const cut = text.length > 0 && !text.endsWith("\n")
    for (const line of text.split("\n").slice(0, -1)) {
      const read = Schema.decodeEither(Line)(line)
      if (read._tag === "Right") this.#apply(read.right)
    }
    if (cut) fs.ftruncateSync(this.#fd, Buffer.byteLength(text.slice(0, text.lastIndexOf("\n") + 1)))
  }

  get commands(): ReadonlyArray<JournaledCommand> {
    return [...this.#commands.values()]
  }

  get(id: string) {
    return this.#commands.get(id)
  }

  started(start: CommandStart) {
    this.#add({ started: start })
  }

  ended(end: CommandEnd) {
    this.#add({ ended: end })
  }

  refused(id: string) {
    this.#add({ refused: { id } })
  }

  clear() {
    fs.ftruncateSync(this.#fd, 0)
    this.#commands.clear()
  }

  close() {
    fs.closeSync(this.#fd)
  }

  #add(line: Line) {
    fs.writeSync(this.#fd, Schema.encodeSync(Line)(line) + "\n")
    this.#apply(line)
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
