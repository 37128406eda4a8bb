import type { SecretSet } from "../secrets.ts"
import { type FilterPosition, OutputFilter } from "./output-filter.ts"

const concat = (pieces: ReadonlyArray<Uint8Array>): Uint8Array =>
  pieces.length === 1 ? pieces[0]! : Buffer.concat(pieces)

/** One output through a filter whose secrets may change, and which may continue an earlier filter of the same output. */
export class FilteredStream {
  #set: SecretSet | undefined
  #filter: OutputFilter | undefined
  /** Position while there is no filter. */
  #position: FilterPosition
  #end: number

  constructor(position: FilterPosition) {
    this.#position = position
    this.#end = position.from
  }

  /** Position behind the input. */
  get end(): number {
    return this.#end
  }

  get position(): FilterPosition {
    return this.#filter?.position ?? this.#position
  }

  get isHolding(): boolean {
    return this.#filter?.isHolding ?? false
  }

  /** Takes the input at an offset. Gives the output, and the number of bytes that never came. */
  push(
    set: SecretSet | undefined,
    offset: number,
    bytes: Uint8Array
  ): { readonly lost: number; readonly output: Uint8Array } {
    const before = offset > this.#end ? this.endOutput() : EMPTY
    const lost = Math.max(0, offset - Math.max(this.position.done, this.#end))
    if (offset > this.#end) this.#restart({ from: offset, done: Math.max(offset, this.position.done) })
    const fresh = bytes.subarray(this.#end - offset)
    const changed = this.#use(set)
    this.#end += fresh.length
    return { lost, output: concat([before, changed, this.#pass(fresh)].filter(({ length }) => length > 0)) }
  }

  /** Shows what a person may wait for. */
  pause(): Uint8Array {
    return concat(this.#filter?.pause() ?? [])
  }

  /** Gives the rest of the output. */
  endOutput(): Uint8Array {
    return concat(this.#filter?.end() ?? [])
  }

  #restart(position: FilterPosition) {
    this.#end = position.from
    this.#position = position
    this.#filter = this.#set === undefined ? undefined : new OutputFilter(this.#set, position)
  }

  /** Goes over to other secrets, which see the held input again. */
  #use(set: SecretSet | undefined): Uint8Array {
    if (set === this.#set) return EMPTY
    const held = this.#filter?.heldInput ?? EMPTY
    const { position } = this
    this.#set = set
    if (set === undefined) {
      this.#filter = undefined
      this.#position = { from: this.#end, done: this.#end }
      return held.subarray(position.done - position.from)
    }
    this.#filter = new OutputFilter(set, position)
    return concat(this.#filter.push(held))
  }

  #pass(bytes: Uint8Array): Uint8Array {
    if (this.#filter !== undefined) return concat(this.#filter.push(bytes))
    const { done, from } = this.#position
    this.#position = { from: from + bytes.length, done: Math.max(done, from + bytes.length) }
    return bytes.subarray(Math.max(0, done - from))
  }
}

const EMPTY = new Uint8Array(0)
