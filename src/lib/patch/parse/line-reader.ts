/** Problem of an unreadable patch. `line` counts from 1. */
export class PatchMalformed extends Error {
  readonly line: number
  constructor(line: number, detail: string) {
    super(detail)
    this.line = line
  }
}

/** Reads the lines of a patch one by one, without their line feeds. */
export class LineReader {
  readonly #text: string
  #at = 0
  #line = 1

  /** `text` is a byte string. */
  constructor(text: string) {
    this.#text = text
  }

  get isAtEnd() {
    return this.#at >= this.#text.length
  }

  /** The next line; undefined at the end. */
  peek(): string | undefined {
    return this.isAtEnd ? undefined : this.#text.slice(this.#at, this.#endOfLine())
  }

  /** The line after the next. */
  peekSecond(): string | undefined {
    const mark = this.mark()
    this.skip()
    const second = this.peek()
    this.back(mark)
    return second
  }

  skip() {
    this.#at = this.#endOfLine() + 1
    this.#line++
  }

  next(): string {
    const line = this.peek()
    if (line === undefined) return this.fail("it ends too early; was it cut?")
    this.skip()
    return line
  }

  mark(): readonly [at: number, line: number] {
    return [this.#at, this.#line]
  }

  back([at, line]: readonly [at: number, line: number]) {
    this.#at = at
    this.#line = line
  }

  fail(detail: string): never {
    throw new PatchMalformed(this.#line, detail)
  }

  #endOfLine() {
    const feed = this.#text.indexOf("\n", this.#at)
    return feed < 0 ? this.#text.length : feed
  }
}
