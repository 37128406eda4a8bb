import { nextCharacter, utf8Text } from "../../../contract/text/utf8.ts"

/** Bytes at the end of the output that the result has. */
export const TAIL_BYTES = 4_096
const TAIL_LINES = 40

/** The end of a command's output. */
export class Tail {
  #pieces: Array<Uint8Array> = []
  #kept = 0
  #bytes = 0

  add(piece: Uint8Array): void {
    this.#pieces.push(piece)
    this.#kept += piece.length
    this.#bytes += piece.length
    while (this.#kept - this.#pieces[0]!.length >= TAIL_BYTES) this.#kept -= this.#pieces.shift()!.length
  }

  /** The last lines, whole ones if there is more than one. */
  get shown(): { readonly tail: string; readonly truncated: boolean } {
    const end = Buffer.concat(this.#pieces).subarray(-TAIL_BYTES)
    const whole = end.length < this.#bytes ? end.subarray(nextCharacter(end)) : end
    const lines = utf8Text(whole).text.split("\n")
    const isCut = end.length < this.#bytes
    const fromLine = isCut && lines.length > 2 ? lines.slice(1) : lines
    // The last line end is no further line.
    const most = TAIL_LINES + (fromLine.at(-1) === "" ? 1 : 0)
    return { tail: fromLine.slice(-most).join("\n"), truncated: isCut || fromLine.length > most }
  }
}
