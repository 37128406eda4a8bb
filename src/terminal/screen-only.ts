const ENQ = 0x05, BEL = 0x07, CAN = 0x18, SUB = 0x1a, ESC = 0x1b, DEL = 0x7f

/** Maximum bytes of a sequence that passes; a longer one is left out. */
const MAX_BYTES = 4_096

/**
 * Control sequences that ask the terminal, or act outside of its screen (ECMA-48; xterm, "Control Sequences"). A private marker counts at any
 * place: terminals differ in what they do with one behind a digit.
 */
const OUTSIDE = new RegExp([
  "^[0-?]*[cnxti]$", // device attributes, reports, parameters, window operations, printing
  "^[0-?]*\\$[pw]$", // modes and presentation reports
  "^(?=.*[<-?])[0-?]*[quS]$", // version, keyboard, graphics; `> u` and `< u` would leave the keyboard changed
  "^(?=.*[?])[0-?]*m$", // key modifiers
  "^[0-?]*[*&'][a-z|{]$", // checksums of the screen, locator
  "^[0-?]*([$]u|#[|RS])$" // terminal state and colours
].join("|"))

/** Single escapes that ask (DECID), or change how the terminal reads bytes (S8C1T, ISO 2022). */
const OUTSIDE_ESCAPES = /^(Z|[ %].*)$/

/** A hyperlink, which is a part of the screen. */
const LINK = /^8;[ -~]*$/

/** Strings: OSC, DCS, SOS, PM, APC, and titles of screen(1). */
const STRINGS = new Set([..."]PX^_k"].map((one) => one.charCodeAt(0)))
/** The console of Linux takes a colour and a reset of colours without an end. */
const CONSOLE_COLOUR = /^(R|P[0-9a-fA-F]{7})$/

type State = "text" | "escape" | "control" | "string" | "string escape"

/** Most output: ASCII and controls of the cursor. */
const isPlain = (byte: number) => byte < 0x80 && byte !== ESC && byte !== ENQ && byte !== CAN && byte !== SUB

const text = (bytes: ReadonlyArray<number>) => String.fromCharCode(...bytes)

/**
 * Passes what draws on the screen of a terminal, piece by piece. Left out: what asks the terminal, so that no answer is typed into the guest's
 * program, and what acts outside of the screen: titles, clipboard, notifications, printers, windows, graphics protocols. What passes is whole:
 * a terminal never sees the beginning of a sequence whose rest is left out.
 */
export class ScreenOnly {
  #state: State = "text"
  #kind = 0
  #held: Array<number> = []
  /** Continuation bytes that the present character of UTF-8 still has. */
  #continues = 0
  /** The first byte of U+0080 to U+00BF, some of which are controls. */
  #isHeld = false

  pass(bytes: Uint8Array): Uint8Array {
    if (this.#state === "text" && this.#continues === 0 && !this.#isHeld && bytes.every(isPlain)) return bytes
    const output: Array<number> = []
    for (const byte of bytes) this.#take(byte, output)
    return Uint8Array.from(output)
  }

  #take(byte: number, output: Array<number>) {
    // They end every sequence.
    if (byte === CAN || byte === SUB) return this.#begin("text")
    switch (this.#state) {
      case "text":
        return byte === ESC ? this.#begin("escape") : this.#draw(byte, output)
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
    this.#held = []
    this.#continues = 0
    this.#isHeld = false
  }

  #hold(byte: number) {
    if (this.#held.length <= MAX_BYTES) this.#held.push(byte)
  }

  /** Characters and simple controls. Controls of the upper half (C1) would begin sequences, as bytes of their own and in UTF-8. */
  #draw(byte: number, output: Array<number>) {
    if (this.#isHeld) {
      this.#isHeld = false
      if (byte >= 0x80 && byte < 0xa0) return
      if (byte >= 0xa0 && byte < 0xc0) return void output.push(0xc2, byte)
    } else if (this.#continues > 0 && byte >= 0x80 && byte < 0xc0) {
      this.#continues -= 1
      return void output.push(byte)
    }
    this.#continues = byte >= 0xf0 ? 3 : byte >= 0xe0 ? 2 : byte >= 0xc3 ? 1 : 0
    if (byte === 0xc2) this.#isHeld = true
    else if (byte !== ENQ && !(byte >= 0x80 && byte < 0xa0)) output.push(byte)
  }

  #takeEscape(byte: number, output: Array<number>) {
    if (byte === ESC) return this.#begin("escape")
    if (byte < 0x20 || byte >= DEL) return byte < 0x20 ? this.#draw(byte, output) : this.#begin("text")
    if (this.#held.length === 0 && byte === 0x5b) return this.#begin("control")
    if (this.#held.length === 0 && STRINGS.has(byte)) {
      this.#kind = byte
      return this.#begin("string")
    }
    this.#hold(byte)
    if (byte < 0x30) return
    if (!OUTSIDE_ESCAPES.test(text(this.#held))) output.push(ESC, ...this.#held)
    this.#begin("text")
  }

  #takeControl(byte: number, output: Array<number>) {
    if (byte === ESC) return this.#begin("escape")
    if (byte < 0x20) return this.#draw(byte, output)
    if (byte >= DEL) return this.#begin("text")
    this.#hold(byte)
    if (byte < 0x40) return
    if (this.#held.length <= MAX_BYTES && !OUTSIDE.test(text(this.#held))) output.push(ESC, 0x5b, ...this.#held)
    this.#begin("text")
  }

  #takeString(byte: number, output: Array<number>) {
    if (byte === ESC) return void (this.#state = "string escape")
    if (this.#kind !== 0x5d) return
    if (byte === BEL) return this.#endString(output)
    this.#hold(byte)
    if (this.#held.length <= 8 && CONSOLE_COLOUR.test(text(this.#held))) this.#begin("text")
  }

  #endString(output: Array<number>) {
    const isLink = this.#kind === 0x5d && this.#held.length <= MAX_BYTES && LINK.test(text(this.#held))
    if (isLink) output.push(ESC, 0x5d, ...this.#held, ESC, 0x5c)
    this.#begin("text")
  }
}
