/** A text that must not leave by a connection, and the report of an attempt. */
export interface ForbiddenText {
  /** ASCII. */
  readonly text: string
  /** A sentence without its full stop. */
  readonly detail: string
}

/** Characters at the start of a base64 text that depend on what precedes: none, one or two bytes. */
const UNCERTAIN_CHARACTERS = [0, 2, 3] as const

/** The characters that every base64 text with `text` in it has, for each of the three alignments. */
const base64Of = (text: string): ReadonlyArray<string> =>
  UNCERTAIN_CHARACTERS.map((uncertain, before) => {
    const encoded = Buffer.concat([Buffer.alloc(before), Buffer.from(text)]).toString("base64")
    return encoded.slice(uncertain, Math.floor((before + text.length) * 8 / 6))
  })

/** Looks for texts, and for their base64, in the pieces of a stream. A text may be split between pieces. */
export class TextSearch {
  readonly #needles: ReadonlyArray<readonly [needle: Buffer, found: ForbiddenText]>
  readonly #keptBytes: number
  /** The last bytes of earlier pieces: a text may have begun there. */
  #kept = Buffer.alloc(0)

  constructor(texts: ReadonlyArray<ForbiddenText>) {
    this.#needles = texts.flatMap((one) =>
      [one.text, ...base64Of(one.text)].map((needle) => [Buffer.from(needle), one] as const)
    )
    this.#keptBytes = Math.max(0, ...this.#needles.map(([{ length }]) => length - 1))
  }

  /** The first of the texts that the stream has so far. */
  find(piece: Uint8Array): ForbiddenText | undefined {
    const bytes = Buffer.from(piece.buffer, piece.byteOffset, piece.length)
    const border = Buffer.concat([this.#kept, bytes.subarray(0, this.#keptBytes)])
    const [, found] = this.#needles.find(([needle]) => border.includes(needle) || bytes.includes(needle)) ?? []
    const end = bytes.length >= this.#keptBytes ? bytes : border
    this.#kept = Buffer.from(end.subarray(Math.max(0, end.length - this.#keptBytes)))
    return found
  }
}
