/**
 * The few frames of the wire that a simple command needs, without the library. A frame is its size and its bytes. The bytes around the
 * variable values are recorded when the program is built (`src/cli/recorded.ts`), by the library itself.
 */

/** Id of the request on its connection. */
export const REQUEST_ID = "begun"

/** Events per message of credit: half of the daemon's window. */
export const CREDIT_EVENTS = 16

/** The bytes before and after a part of a frame, in base64. */
export interface Around {
  readonly before: string
  readonly behind: string
}

/** Bytes of frames as the library writes them, in base64. */
export interface RecordedFrames {
  /** The message of the request, around its payload. */
  readonly request: Around
  /** The payload, in pieces: recorded bytes, and the names of values between them. `written`: stdout and stderr are one pipe. */
  readonly payload: Readonly<
    Record<"stream" | "written", ReadonlyArray<{ readonly bytes: string } | { readonly value: keyof Values }>>
  >
  /** The bytes of a message around its events. */
  readonly chunk: Around
  /** The bytes before the events. */
  readonly events: string
  /** The first bytes of each event. */
  readonly started: string
  readonly output: string
  readonly exited: string
  /** The message that gives credit. */
  readonly credit: string
}

/** The variable values of a request. */
export interface Values {
  readonly workspace: string
  readonly command: ReadonlyArray<string>
  readonly execId: string
}

/** An event that is only printed. */
export type PlainEvent =
  | { readonly _tag: "Started" }
  | { readonly _tag: "Output"; readonly from: "stdout" | "stderr"; readonly bytes: Uint8Array; readonly next: number }
  | { readonly _tag: "Exited"; readonly status: number }

const recorded = (base64: string) => Buffer.from(base64, "base64")

/** A number as a LEB128 varint. */
const uvarint = (value: number): Buffer => {
  const bytes: Array<number> = []
  let rest = value
  for (; rest > 0x7f; rest = Math.floor(rest / 128)) bytes.push((rest & 0x7f) | 0x80)
  return Buffer.from([...bytes, rest])
}

const sized = (...parts: ReadonlyArray<Uint8Array>): Buffer => {
  const all = Buffer.concat(parts)
  return Buffer.concat([uvarint(all.length), all])
}

const sizedText = (text: string) => sized(Buffer.from(text, "utf8"))

const valueOf = (value: string | ReadonlyArray<string>) =>
  typeof value === "string" ? sizedText(value) : sized(uvarint(value.length), ...value.map(sizedText))

/** The frame of a request for a command. */
export const requestFrame = (
  { payload, request }: RecordedFrames,
  { order, ...values }: Values & { readonly order: keyof RecordedFrames["payload"] }
): Buffer => {
  const pieces = payload[order].map((piece) => "bytes" in piece ? recorded(piece.bytes) : valueOf(values[piece.value]))
  return sized(recorded(request.before), sized(sized(...pieces)), recorded(request.behind))
}

export const creditFrame = ({ credit }: RecordedFrames): Buffer => recorded(credit)

/** The frame needs more bytes. */
class Incomplete extends Error {}

/** The frame is of another kind, which only the loaded program reads. */
class Foreign extends Error {}

class Reader {
  readonly #bytes: Buffer
  at: number
  constructor(bytes: Buffer, at = 0) {
    this.#bytes = bytes
    this.at = at
  }

  get isAtEnd() {
    return this.at === this.#bytes.length
  }

  uvarint(): number {
    let value = 0
    for (let scale = 1;; scale *= 128) {
      const byte = this.#bytes[this.at++]
      if (byte === undefined) throw new Incomplete()
      value += (byte & 0x7f) * scale
      if (byte < 0x80) return value
      if (scale > 2 ** 42) throw new Foreign()
    }
  }

  /** An integer with its sign in the lowest bit. A value of eight bytes is not an integer, and a longer one is of another kind. */
  integer(): number {
    const number = new Reader(this.sized())
    const coded = number.uvarint()
    if (!number.isAtEnd || number.at === 8) throw new Foreign()
    return coded % 2 === 1 ? -Math.floor(coded / 2) : coded / 2
  }

  sized(): Buffer {
    const size = this.uvarint()
    const end = this.at + size
    if (end > this.#bytes.length) throw new Incomplete()
    const bytes = this.#bytes.subarray(this.at, end)
    this.at = end
    return bytes
  }

  /** Skips known bytes. */
  expect(base64: string) {
    const known = recorded(base64)
    if (!this.startsWith(known)) throw new Foreign()
    this.at += known.length
  }

  startsWith(known: Uint8Array) {
    return this.#bytes.subarray(this.at, this.at + known.length).equals(known)
  }
}

const eventOf = (frames: RecordedFrames, bytes: Buffer): PlainEvent => {
  const reader = new Reader(bytes)
  const begins = (head: string) => {
    const known = recorded(head)
    if (!reader.startsWith(known)) return false
    reader.at += known.length
    return true
  }
  const event = ((): PlainEvent => {
    if (begins(frames.output)) {
      const next = reader.integer()
      const output = reader.sized()
      const from = reader.sized().toString("latin1")
      if (from !== "stdout" && from !== "stderr") throw new Foreign()
      return { _tag: "Output", from, bytes: output, next }
    }
    if (begins(frames.started)) {
      // The process id and the id.
      reader.integer()
      reader.sized()
      return { _tag: "Started" }
    }
    reader.expect(frames.exited)
    if (reader.sized().toString("latin1") !== "exited") throw new Foreign()
    // The duration.
    reader.sized()
    return { _tag: "Exited", status: reader.integer() }
  })()
  if (!reader.isAtEnd) throw new Foreign()
  return event
}

const eventsOf = (frames: RecordedFrames, message: Buffer): ReadonlyArray<PlainEvent> => {
  const reader = new Reader(message)
  reader.expect(frames.chunk.before)
  const inside = new Reader(new Reader(reader.sized()).sized())
  reader.expect(frames.chunk.behind)
  if (!reader.isAtEnd) throw new Foreign()
  inside.expect(frames.events)
  const events = Array.from({ length: inside.uvarint() }, () => eventOf(frames, inside.sized()))
  if (!inside.isAtEnd) throw new Foreign()
  return events
}

/**
 * The events of the next complete frame. Undefined if the frame needs more bytes. `events` is undefined if only the loaded program
 * can read the frame.
 */
export const nextEvents = (frames: RecordedFrames, received: Buffer, from: number) => {
  const reader = new Reader(received, from)
  let message: Buffer
  try {
    message = reader.sized()
  } catch (error) {
    if (error instanceof Incomplete) return undefined
    if (error instanceof Foreign) return { events: undefined, end: received.length } as const
    throw error
  }
  try {
    return { events: eventsOf(frames, message), end: reader.at } as const
  } catch (error) {
    if (error instanceof Incomplete || error instanceof Foreign) return { events: undefined, end: reader.at } as const
    throw error
  }
}
