import type { OutputName, OutputPiece } from "./output.ts"
import { TerminalLine } from "./terminal-line.ts"

const ESC = 0x1b
const BEL = 0x07
const BACKSPACE = 0x08
const NEWLINE = 0x0a
const RETURN = 0x0d

/** Bytes that are no text to a terminal. Other controls of ASCII stay. */
const SPECIAL = new Set([BEL, BACKSPACE, RETURN, 0x0e, 0x0f, ESC, 0x7f])
const isSpecial = Uint8Array.from({ length: 256 }, (_, byte) => SPECIAL.has(byte) ? 1 : 0)

/** Maximum length of a sequence: the bytes of a longer one are text. Titles and links of terminals have some kilobytes at most. */
const MAX_SEQUENCE_BYTES = 4_096

/** Position of a stream in a control sequence (ECMA-48). */
type State = "text" | "escape" | "intermediate" | "control" | "string" | "string-escape"

/** One stream without the codes that a terminal obeys. */
class TerminalStream {
  readonly line: TerminalLine
  #state: State = "text"
  /** Bytes of the sequence so far, and the cursor before them. */
  #sequence: Array<number> = []
  #sequenceBegin = 0
  /** Cursor after a carriage return that a newline may follow. */
  #returned: number | undefined

  constructor(from: OutputName, emit: (piece: OutputPiece) => void) {
    this.line = new TerminalLine(from, emit)
  }

  /** Cursor before a sequence that is not complete and that ends at a cursor; undefined where there is none. */
  unfinishedAt(end: number): number | undefined {
    const isLast = this.#state !== "text" && this.#sequenceBegin + this.#sequence.length === end
    return isLast ? this.#sequenceBegin : undefined
  }

  push({ bytes, next }: OutputPiece): void {
    const begin = next - bytes.length
    let at = 0
    while (at < bytes.length) {
      if (this.#state !== "text") {
        if (this.#continued(bytes[at]!)) at++
        continue
      }
      const byte = bytes[at]!
      if (byte === RETURN) {
        this.#returned = begin + ++at
        continue
      }
      if (this.#returned !== undefined && byte !== NEWLINE) this.line.carriageReturn(this.#returned)
      this.#returned = undefined
      if (byte === NEWLINE && this.line.isRedrawn) {
        this.line.newline(begin + ++at)
      } else if (isSpecial[byte] === 1) {
        if (byte === BACKSPACE) this.line.backspace()
        if (byte === ESC) this.#enter(begin + at)
        at++
      } else {
        const from = at
        const stopsAtNewline = this.line.isRedrawn
        while (at < bytes.length && isSpecial[bytes[at]!] === 0 && !(stopsAtNewline && bytes[at] === NEWLINE)) at++
        this.line.write(bytes.subarray(from, at), begin + at)
      }
    }
  }

  /** Hands on the held bytes, with the text of a sequence that never ended. */
  end(continues: boolean): void {
    if (!continues && (this.#state === "string" || this.#state === "string-escape")) this.#giveUp()
    this.#state = "text"
    this.line.end()
  }

  #enter(cursor: number): void {
    this.#state = "escape"
    this.#sequence = [ESC]
    this.#sequenceBegin = cursor
  }

  /** Takes the next byte of a sequence; false where the sequence ended before it. */
  #continued(byte: number): boolean {
    this.#sequence.push(byte)
    if (this.#sequence.length > MAX_SEQUENCE_BYTES) {
      this.#giveUp()
      return true
    }
    switch (this.#state) {
      case "escape":
        if (byte === 0x5b) return this.#to("control")
        if ([0x5d, 0x50, 0x58, 0x5e, 0x5f].includes(byte)) return this.#to("string")
        return byte >= 0x20 && byte <= 0x2f ? this.#to("intermediate") : this.#ends(byte >= 0x30 && byte <= 0x7e)
      case "intermediate":
        return (byte >= 0x20 && byte <= 0x2f) || this.#ends(byte >= 0x30 && byte <= 0x7e)
      case "control":
        if (byte >= 0x20 && byte <= 0x3f) return true
        if (byte < 0x40 || byte > 0x7e) return this.#ends(false)
        this.line.control(String.fromCharCode(byte), String.fromCharCode(...this.#sequence.slice(2, -1)))
        return this.#to("text")
      case "string-escape":
        if (byte === 0x5c) return this.#to("text")
        // Another sequence begins in the middle of the string.
        this.#sequence = [ESC]
        this.#state = "escape"
        return false
      case "string":
        if (byte === ESC) return this.#to("string-escape")
        if (byte === BEL) return this.#to("text")
        if (byte !== NEWLINE && byte !== 0x18 && byte !== 0x1a) return true
        this.#sequence.pop()
        this.#giveUp()
        return false
      default:
        return false
    }
  }

  #to(state: State): true {
    this.#state = state
    return true
  }

  /** The byte is the sequence's last, or is none of it. */
  #ends(isLast: boolean): boolean {
    this.#state = "text"
    return isLast
  }

  /** The bytes are no sequence: all but the escape are text. */
  #giveUp(): void {
    this.#state = "text"
    this.line.write(Uint8Array.from(this.#sequence.slice(1)), this.#sequenceBegin + this.#sequence.length)
  }
}

/**
 * A command's output as a person sees it on a terminal: without colours, links, titles and other codes, and with the last state of a line
 * that a program redraws. `add` gets the output piece by piece. `from` is the cursor of the first byte.
 */
export const asSeen = (add: (piece: OutputPiece) => void, from = 0) => {
  const streams = { stdout: new TerminalStream("stdout", add), stderr: new TerminalStream("stderr", add) }
  let next = from
  return {
    push: (piece: OutputPiece): void => {
      next = piece.next
      streams[piece.from].push(piece)
    },
    /** Hands on the held bytes. If the command continues, gives the cursor to continue at: before a sequence that is cut at the end. */
    end: (continues: boolean): number => {
      let cursor = next
      for (const one of [streams.stdout, streams.stderr]) {
        const unfinished = one.unfinishedAt(next)
        one.end(continues && unfinished !== undefined)
        if (continues) cursor = unfinished ?? cursor
      }
      return cursor
    }
  } as const
}

/** A whole text as a person sees it on a terminal. */
export const textAsSeen = (text: string): string => {
  const pieces: Array<Uint8Array> = []
  const seen = asSeen(({ bytes }) => pieces.push(bytes))
  const bytes = new TextEncoder().encode(text)
  seen.push({ from: "stdout", bytes, next: bytes.length })
  seen.end(false)
  return Buffer.concat(pieces).toString()
}
