import { Effect, Semaphore } from "effect"
import { type FilterPosition, OutputFilter } from "./filter.ts"
import type { SecretSet } from "./secrets.ts"

const concat = (pieces: ReadonlyArray<Uint8Array>): Uint8Array =>
  pieces.length === 1 ? pieces[0]! : Buffer.concat(pieces)

/** One output through a filter whose secrets may change, and which may continue an earlier filter of the same output. */
class FilteredStream {
  #set: SecretSet | undefined
  #filter: OutputFilter | undefined
  /** Position while there is no filter. */
  #position: FilterPosition
  #end: number

  constructor(position: FilterPosition) {
    this.#position = position
    this.#end = position.from
  }

  /** Position after the input. */
  get end(): number {
    return this.#end
  }

  get position(): FilterPosition {
    return this.#filter?.position ?? this.#position
  }

  get isBuffering(): boolean {
    return this.#filter?.isBuffering ?? false
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

  /** Gives output that a person may wait for. */
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

  /** Switches to other secrets, whose filter gets the held input again. */
  #use(set: SecretSet | undefined): Uint8Array {
    if (set === this.#set) return EMPTY
    const held = this.#filter?.bufferedInput ?? EMPTY
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

/** Secrets that may change while a command runs. */
export interface SecretSource {
  readonly set: SecretSet | undefined
}

type OutputName = "stdout" | "stderr"

/** A piece of a command's output, at a position of this output. */
interface FilterPiece {
  readonly from: OutputName
  readonly offset: number
  readonly bytes: Uint8Array
}

/** Receiver of filtered output. */
interface FilterTarget {
  /** Position at which the output continues. */
  readonly begin: (from: OutputName) => FilterPosition
  /** Output that never came. */
  readonly lose: (from: OutputName, bytes: number) => void
  /** Takes output, which may be empty, and the position of the filter after the output. */
  readonly write: (from: OutputName, output: Uint8Array, stream: FilteredStream) => Effect.Effect<unknown>
}

/** Silence after which the first bytes of a possible secret are shown, in ms: a person may wait for the end of a prompt. */
const PAUSE_MS = 100

/** One output of a command. */
interface Filtered {
  readonly stream: FilteredStream
  /** Counts the pieces. */
  pieces: number
  isPausing: boolean
}

/** The filters of a command's outputs. `each` takes the pieces in their order, and `rest` writes the held bytes after the last one. */
export const filterPieces = (secrets: SecretSource, target: FilterTarget) => {
  const filtered: Partial<Record<OutputName, Filtered>> = {}
  const lock = Semaphore.makeUnsafe(1).withPermits(1)
  const alone = <A>(work: () => Effect.Effect<A>) => lock(Effect.suspend(work))

  /** Waits for a silence of this output, once at a time. */
  const pauseLater = (from: OutputName, one: Filtered) =>
    Effect.suspend(() => {
      if (one.isPausing || !one.stream.isBuffering) return Effect.void
      one.isPausing = true
      const silence: Effect.Effect<void> = Effect.suspend(() => {
        const seen = one.pieces
        return Effect.flatMap(Effect.sleep(PAUSE_MS), () => one.pieces === seen ? Effect.void : silence)
      })
      const shown = alone(() => {
        one.isPausing = false
        return target.write(from, one.stream.pause(), one.stream)
      })
      return Effect.asVoid(Effect.forkChild(Effect.andThen(silence, shown)))
    })

  const each = ({ bytes, from, offset }: FilterPiece): Effect.Effect<void> =>
    alone(() => {
      const one = filtered[from] ??= { stream: new FilteredStream(target.begin(from)), pieces: 0, isPausing: false }
      one.pieces++
      const { lost, output } = one.stream.push(secrets.set, offset, bytes)
      if (lost > 0) target.lose(from, lost)
      return Effect.andThen(target.write(from, output, one.stream), pauseLater(from, one))
    })

  const rest: Effect.Effect<void> = alone(() =>
    Effect.forEach(["stdout", "stderr"] as const, (from) => {
      const one = filtered[from]
      return one === undefined ? Effect.void : target.write(from, one.stream.endOutput(), one.stream)
    }, { discard: true })
  )

  return { each, rest }
}
