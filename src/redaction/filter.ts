import { Effect, Semaphore } from "effect"
import { FilteredStream } from "./filter/filtered-stream.ts"
import type { FilterPosition } from "./filter/output-filter.ts"
import type { SecretSet } from "./secrets.ts"

export { type FilterPosition, OutputFilter } from "./filter/output-filter.ts"

/** Secrets that may change while a command runs. */
export interface SecretSource {
  readonly set: SecretSet | undefined
}

type OutputName = "stdout" | "stderr"

/** A piece of a command's output, at a position of this output. */
export interface FilterPiece {
  readonly from: OutputName
  readonly offset: number
  readonly bytes: Uint8Array
}

/** Receiver of filtered output. */
export interface FilterTarget {
  /** Position at which the output continues. */
  readonly begin: (from: OutputName) => FilterPosition
  /** Output that never came. */
  readonly lose: (from: OutputName, bytes: number) => void
  /** Takes output, which may be empty, and the position of the filter behind the output. */
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
      if (one.isPausing || !one.stream.isHolding) return Effect.void
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
