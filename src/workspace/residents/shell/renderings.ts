import { Effect, Semaphore } from "effect"
import { loadXterm, Rendering } from "../../../lib/terminal/rendering.ts"
import { startTimer } from "../../../system/waits/signal.ts"
import { type Shell, sizesOf } from "./shell.ts"

/** Maximum output of one rendering, in bytes. The emulator begins at most this far before the end of the output. */
const WINDOW_BYTES = 16_777_216
/**
 * Renderings that pyro keeps for a workspace, of the shells that it read last: `few` of any size, more while all together take at most
 * `bytes`, and never more than `most`. A rendering with a full text above its screen takes some 12 MB.
 */
const KEPT = { few: 4, most: 16, bytes: 12_582_912 } as const
/** Time after which pyro discards an unused rendering, in ms. */
const KEPT_MS = 60_000
/** Maximum time of one rendering, in ms. After it, the screen shows only the end of output with slow sequences. */
const MAX_SPENT_MS = 3_000
/** The same if the last rendering was too slow, because each look at hostile output would take that long. */
const MAX_SPENT_AGAIN_MS = 300
/** Amount of output that pyro renders after the maximum time, in bytes. */
const LATE_WINDOW_BYTES = 8_192
/** Amount of output between two checks of the time, in bytes. */
const PART_BYTES = 32_768

/** Calls `use` with a shell's screen after all its output so far. */
export type WithScreen = <A>(
  shell: Shell,
  /** Position from which the caller wants text. */
  cursor: number,
  use: (rendering: Rendering) => A
) => Effect.Effect<A>

interface Kept {
  rendering: Rendering | undefined
  /** One reader at a time. */
  readonly turn: Semaphore.Semaphore
  forget: { readonly cancel: () => void } | undefined
}

/** Renderings of a workspace's shells. pyro renders a shell when a caller reads it, and never in between. */
export class Renderings {
  readonly #kept = new Map<string, Kept>()

  readonly withScreen: WithScreen = (shell, cursor, use) =>
    Effect.suspend(() => {
      const kept = this.#of(shell.id)
      const work = Effect.flatMap(loadXterm, (xterm) =>
        Effect.gen(function*() {
          const end = shell.log.position
          const asked = Math.min(cursor, end)
          const begin = Math.max(0, end - WINDOW_BYTES)
          const before = kept.rendering
          // Renders again if the caller wants text from an earlier position.
          const isUsable = before !== undefined && before.position >= begin && before.position <= end &&
            (before.knows(asked) || before.position <= asked)
          if (!isUsable) {
            before?.dispose()
            kept.rendering = new Rendering(xterm, sizeAt(shell, begin), begin)
            kept.rendering.isLate = before?.isLate ?? false
          }
          const rendering = kept.rendering!
          if (rendering.position <= asked) {
            yield* feed(shell, rendering, asked)
            rendering.mark()
          }
          yield* feed(shell, rendering, end)
          rendering.mark()
          return use(rendering)
        }).pipe(
          Effect.tap(() => Effect.sync(() => this.#forgetOldest())),
          Effect.onError(() => Effect.sync(() => this.#drop(shell.id)))
        ))
      return kept.turn.withPermits(1)(work)
    })

  /** Forgets all screens. */
  clear(): void {
    for (const id of [...this.#kept.keys()]) this.#drop(id)
  }

  #of(id: string): Kept {
    const kept: Kept = this.#kept.get(id) ??
      { rendering: undefined, turn: Semaphore.makeUnsafe(1), forget: undefined }
    kept.forget?.cancel()
    kept.forget = startTimer(KEPT_MS, () => this.#drop(id))
    // The map is in the order of use.
    this.#kept.delete(id)
    this.#kept.set(id, kept)
    this.#forgetOldest()
    return kept
  }

  #forgetOldest() {
    let bytes = 0
    for (const { rendering } of this.#kept.values()) bytes += rendering?.bytes ?? 0
    for (const [id, { rendering }] of this.#kept) {
      const { size } = this.#kept
      if (size <= KEPT.few || (size <= KEPT.most && bytes <= KEPT.bytes)) return
      bytes -= rendering?.bytes ?? 0
      this.#drop(id)
    }
  }

  #drop(id: string) {
    const kept = this.#kept.get(id)
    this.#kept.delete(id)
    kept?.forget?.cancel()
  }
}

const sizeAt = (shell: Shell, position: number) => {
  const sizes = sizesOf(shell)
  return sizes.findLast(({ at }) => at <= position) ?? sizes[0]!
}

/** Renders the output of a log up to a position, with the terminal's sizes at their places. */
const feed = (shell: Shell, rendering: Rendering, to: number): Effect.Effect<void> =>
  Effect.gen(function*() {
    const sizes = sizesOf(shell)
    let reader = shell.log.reader(rendering.position)
    const beginAt = (position: number) => {
      rendering.restart(position)
      rendering.resize(sizeAt(shell, position))
    }
    let untilMs = rendering.spentMs + (rendering.isLate ? MAX_SPENT_AGAIN_MS : MAX_SPENT_MS)
    const isLong = to - rendering.position > LATE_WINDOW_BYTES
    let isCut = false
    try {
      while (rendering.position < to) {
        const piece = reader.next()
        if (piece === undefined) return
        // The log dropped output: the following output begins on an empty screen.
        if (reader.takeSkipped() > 0) beginAt(piece.next - piece.bytes.length)
        for (let rest = piece.bytes; rest.length > 0 && rendering.position < to;) {
          if (rendering.spentMs > untilMs && to - rendering.position > LATE_WINDOW_BYTES) {
            beginAt(to - LATE_WINDOW_BYTES)
            isCut = true
            untilMs = Infinity
            reader.close()
            reader = shell.log.reader(rendering.position)
            break
          }
          const { position } = rendering
          const changed = sizes.find(({ at }) => at === position)
          if (changed !== undefined) rendering.resize(changed)
          const next = sizes.find(({ at }) => at > position)?.at ?? Infinity
          const part = rest.subarray(0, Math.min(PART_BYTES, to - position, next - position))
          yield* rendering.take(part)
          rest = rest.subarray(part.length)
        }
      }
      const changed = sizes.find(({ at }) => at === rendering.position)
      if (changed !== undefined) rendering.resize(changed)
      if (isLong) rendering.isLate = isCut
    } finally {
      reader.close()
    }
  })
