import type { TestCounts } from "../../contract/rows/workspace-try-fields.ts"
import { cargo, go } from "./formats/compiled.ts"
import type { Format } from "./formats/format.ts"
import { junit } from "./formats/junit.ts"
import { pytest, unittest } from "./formats/python.ts"
import { tap } from "./formats/tap.ts"
import { vitest } from "./formats/vitest.ts"

/** Longest line that is read, in characters. A program of a guest writes any. */
const MAX_LINE = 4_096

const COLOURS = /\u001b\[[0-9;?]{0,32}[A-Za-z]/g

/** A line as it stays on a terminal: without colours, and without what a carriage return replaced. */
const plain = (line: string) => line.replace(COLOURS, "").replace(/\r+$/, "").replace(/^.*\r/, "").trimEnd()

/**
 * Counts the tests in the output of a test program, piece by piece. The output is a guest's: it is bounded, and a wrong count harms nobody
 * but its reader.
 */
export class TestReader {
  readonly #decoder = new TextDecoder("utf-8", { ignoreBOM: true })
  readonly #formats: ReadonlyArray<Format> = [tap(), junit(), vitest(), pytest(), unittest(), cargo(), go()]
  #line = ""
  /** The format of the last report. Programs that run others print their own report last. */
  #last: Format | undefined

  add(bytes: Uint8Array): void {
    const pieces = this.#decoder.decode(bytes, { stream: true }).split("\n")
    for (const [at, piece] of pieces.entries()) {
      if (at > 0) this.#end()
      if (this.#line.length < MAX_LINE) this.#line += piece.slice(0, MAX_LINE - this.#line.length)
      for (const format of this.#formats) {
        if (format.piece?.(piece) === true) this.#last = format
      }
    }
  }

  /** Undefined if no report was found. */
  get counts(): TestCounts | undefined {
    this.#end()
    return this.#last?.counts()
  }

  #end(): void {
    const line = plain(this.#line)
    this.#line = ""
    if (line === "") return
    for (const format of this.#formats) {
      if (format.line?.(line) === true) this.#last = format
    }
  }
}
