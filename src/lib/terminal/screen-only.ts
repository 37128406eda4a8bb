const ENQ = 0x05, BEL = 0x07, CAN = 0x18, SUB = 0x1a, ESC = 0x1b, DEL = 0x7f

/** Maximum bytes of a sequence. Longer ones are left out. */
const MAX_BYTES = 4_096

/**
 * Control sequences that query the terminal, or act outside its screen (ECMA-48; xterm, "Control Sequences"). A private marker counts at any
 * place: terminals treat one after a digit in different ways.
 */
const OUTSIDE = new RegExp([
  "^[0-?]*[cnxti]$", // device attributes, reports, parameters, window operations, printing
  "^[0-?]*\\$[pw|]$", // modes and presentation reports, columns of the window
  "^(?=.*[<-?])[0-?]*[quS]$", // version, keyboard, graphics; `> u` and `< u` would leave the keyboard changed
  "^(?=.*[?])[0-?]*[rs]$", // saved modes: their values are not known
  "^[0-?]*\"p$", // another conformance level: the terminal would read the next sequences in another way
  "^(?=.*[?])[0-?]*m$", // key modifiers
  "^[0-?]*[*&'][a-z|{]$", // checksums of the screen, locator
  "^[0-?]*([$]u|#[|RS])$" // terminal state and colours
].join("|"))

/** Modes that lock the keyboard, make the terminal wait for a program or read sequences as a VT52, or change its window's width. */
const TAKES_OVER = /^(?:(?:\d*;)*0*2(?:;\d*)*h|\?(?:\d*;)*0*(?:2|40|1001)(?:;\d*)*[hl])$/

/** Single escapes that query the terminal (DECID), or change its character set (S8C1T, ISO 2022). */
const OUTSIDE_ESCAPES = /^(Z|[ %].*)$/

/** A hyperlink, which is a part of the screen. */
const LINK = /^8;[ -~]*$/

/** Strings: OSC, DCS, SOS, PM, APC, and titles of screen(1). */
const STRINGS = new Set([..."]PX^_k"].map((one) => one.charCodeAt(0)))
/** Linux's console accepts a colour and a reset of colours without a terminator. */
const CONSOLE_COLOUR = /^(R|P[0-9a-fA-F]{7})$/

/** Bounds of the second byte of a UTF-8 character after some first bytes (Unicode, table 3-7). */
const SECOND: Readonly<Record<number, readonly [from: number, to: number]>> = {
  0xe0: [0xa0, 0xbf],
  0xed: [0x80, 0x9f],
  0xf0: [0x90, 0xbf],
  0xf4: [0x80, 0x8f]
}

const lengthOf = (first: number) => first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2

type State = "text" | "escape" | "control" | "string" | "string escape"

/** The bytes of most output: ASCII and controls of the cursor. */
const isPlain = (byte: number) => byte < 0x80 && byte !== ESC && byte !== ENQ && byte !== CAN && byte !== SUB

const isControl = (byte: number) => byte >= 0x80 && byte < 0xa0

const text = (bytes: ReadonlyArray<number>) => String.fromCharCode(...bytes)

/**
 * Passes only output that draws on the screen of a terminal, piece by piece. Leaves out queries of the terminal, so that no answer is typed into the guest's
 * program, and sequences that act outside the screen: titles, clipboard, notifications, printers, windows, graphics protocols. It passes whole sequences only:
 * a terminal never gets the beginning of a sequence without its rest.
 */
export class ScreenOnly {
  #state: State = "text"
  #kind = 0
  #buffered: Array<number> = []
  /** Bytes of an incomplete UTF-8 character. Terminals would read some bytes of a broken character as controls. */
  #character: Array<number> = []

  pass(bytes: Uint8Array): Uint8Array {
    if (this.#state === "text" && this.#character.length === 0 && bytes.every(isPlain)) return bytes
    const output: Array<number> = []
    for (const byte of bytes) this.#take(byte, output)
    return Uint8Array.from(output)
  }

  #take(byte: number, output: Array<number>) {
    // CAN and SUB end every sequence.
    if (byte === CAN || byte === SUB) return this.#begin("text")
    switch (this.#state) {
      case "text":
        if (byte !== ESC) return this.#draw(byte, output)
        this.#breakOff(output)
        return this.#begin("escape")
      case "escape":
        return this.#takeEscape(byte, output)
      case "control":
        return this.#takeControl(byte, output)
      case "string":
        return this.#takeString(byte, output)
      case "string escape":
        if (byte === 0x5c) return this.#endString(output)
        // Another sequence begins, as in a terminal.
        this.#begin("escape")
        return this.#takeEscape(byte, output)
    }
  }

  #begin(state: State) {
    this.#state = state
    this.#buffered = []
    this.#character = []
  }

  #buffer(byte: number) {
    if (this.#buffered.length <= MAX_BYTES) this.#buffered.push(byte)
  }

  /** Passes characters and simple controls. Leaves out C1 controls, which begin sequences, as single bytes and in UTF-8. */
  #draw(byte: number, output: Array<number>) {
    const [first] = this.#character
    if (first !== undefined) {
      const [from, to] = (this.#character.length === 1 ? SECOND[first] : undefined) ?? [0x80, 0xbf]
      if (byte >= from && byte <= to) return this.#continue(first, byte, output)
      this.#breakOff(output)
    }
    if (byte >= 0xc2 && byte <= 0xf4) this.#character = [byte]
    else if (byte !== ENQ && !isControl(byte)) output.push(byte)
  }

  #continue(first: number, byte: number, output: Array<number>) {
    this.#character.push(byte)
    if (this.#character.length < lengthOf(first)) return
    if (first !== 0xc2 || !isControl(byte)) output.push(...this.#character)
    this.#character = []
  }

  /** Passes the bytes of a broken character, as text in ISO 8859. */
  #breakOff(output: Array<number>) {
    output.push(...this.#character.filter((byte) => !isControl(byte)))
    this.#character = []
  }

  #takeEscape(byte: number, output: Array<number>) {
    if (byte === ESC) return this.#begin("escape")
    if (byte < 0x20 || byte >= DEL) return byte < 0x20 ? this.#draw(byte, output) : this.#begin("text")
    if (this.#buffered.length === 0 && byte === 0x5b) return this.#begin("control")
    if (this.#buffered.length === 0 && STRINGS.has(byte)) {
      this.#kind = byte
      return this.#begin("string")
    }
    this.#buffer(byte)
    if (byte < 0x30) return
    if (!OUTSIDE_ESCAPES.test(text(this.#buffered))) output.push(ESC, ...this.#buffered)
    this.#begin("text")
  }

  #takeControl(byte: number, output: Array<number>) {
    if (byte === ESC) return this.#begin("escape")
    if (byte < 0x20) return this.#draw(byte, output)
    if (byte >= DEL) return this.#begin("text")
    this.#buffer(byte)
    if (byte < 0x40) return
    const sequence = text(this.#buffered)
    const isDrawn = this.#buffered.length <= MAX_BYTES && !OUTSIDE.test(sequence) && !TAKES_OVER.test(sequence)
    if (isDrawn) output.push(ESC, 0x5b, ...this.#buffered)
    this.#begin("text")
  }

  #takeString(byte: number, output: Array<number>) {
    if (byte === ESC) return void (this.#state = "string escape")
    if (this.#kind !== 0x5d) return
    if (byte === BEL) return this.#endString(output)
    this.#buffer(byte)
    if (this.#buffered.length <= 8 && CONSOLE_COLOUR.test(text(this.#buffered))) this.#begin("text")
  }

  #endString(output: Array<number>) {
    const isLink = this.#kind === 0x5d && this.#buffered.length <= MAX_BYTES && LINK.test(text(this.#buffered))
    if (isLink) output.push(ESC, 0x5d, ...this.#buffered, ESC, 0x5c)
    this.#begin("text")
  }
}
