import { Effect } from "effect"
import { clockReader } from "../../system/waits/time.ts"
import type * as Xterm from "./emulator/xterm.ts"
import { Screen, type ScreenMark, type ScreenSize, type ScreenText } from "./screen.ts"

/** Time after which other work of this process gets its turn, in ms. */
const TURN_MS = 8
/** Bytes to write at once: fewer if the emulator needs longer than a turn for them. */
const SLICE_BYTES = { most: 8_192, least: 256 } as const
/** Maximum number of remembered positions. */
const MAX_MARKS = 16

/** Loads the emulator with the first screen. */
export const loadXterm: Effect.Effect<typeof Xterm> = Effect.promise(() => import("./emulator/xterm.ts"))

/** A screen that has taken some output, up to a position. */
export class Rendering {
  readonly #xterm: typeof Xterm
  #screen: Screen
  #size: ScreenSize
  /** Output before this position is not part of the screen. */
  #begin: number
  #slice: number = SLICE_BYTES.most
  position: number
  readonly #marks = new Map<number, ScreenMark>()
  /** Time that the emulator took in all, in ms. */
  spentMs = 0
  /** The emulator was too slow for the latest output. */
  isLate = false

  constructor(xterm: typeof Xterm, size: ScreenSize, begin: number) {
    this.#xterm = xterm
    this.#screen = new Screen(xterm, size)
    this.#size = size
    this.#begin = begin
    this.position = begin
  }

  /** Takes a piece of output, and yields to other work. If the emulator fails, the screen restarts after the slice. */
  take(bytes: Uint8Array): Effect.Effect<void> {
    return Effect.flatMap(clockReader, ({ monotonicMs }) => {
      const startedMs = monotonicMs()
      let at = 0
      let nowMs = startedMs
      while (at < bytes.length && nowMs - startedMs < TURN_MS) {
        const slice = bytes.subarray(at, at + this.#slice)
        at += slice.length
        this.position += slice.length
        try {
          this.#screen.write(slice)
        } catch {
          this.restart()
        }
        const before = nowMs
        nowMs = monotonicMs()
        const isSlow = nowMs - before > TURN_MS
        this.#slice = isSlow
          ? Math.max(SLICE_BYTES.least, this.#slice >> 1)
          : Math.min(SLICE_BYTES.most, this.#slice << 1)
      }
      this.spentMs += nowMs - startedMs
      const rest = bytes.subarray(at)
      return rest.length === 0 ? Effect.void : Effect.andThen(turn, this.take(rest))
    })
  }

  /** Restarts with an empty screen, at this position or a later one. */
  restart(at = this.position): void {
    this.#screen.dispose()
    this.#marks.clear()
    this.#screen = new Screen(this.#xterm, this.#size)
    this.#begin = at
    this.position = at
  }

  resize(size: ScreenSize): void {
    this.#size = size
    this.#screen.resize(size)
  }

  /** Remembers this position, so that a reader can continue from it. */
  mark(): void {
    if (this.#marks.has(this.position)) return
    if (this.#marks.size >= MAX_MARKS) this.#forgetOldest()
    this.#marks.set(this.position, this.#screen.mark())
  }

  /** Whether the text from a position on is known. */
  knows(position: number): boolean {
    return position <= this.#begin || this.#marks.has(position)
  }

  /** The text from a known position on. */
  textFrom(position: number): ScreenText {
    const mark = this.#marks.get(position)
    const text = this.#screen.textFrom(mark)
    return mark === undefined && this.#begin > position ? { ...text, isCut: !text.isAlternate } : text
  }

  get screen(): Screen {
    return this.#screen
  }

  /** Approximate memory of the screen in bytes. */
  get bytes(): number {
    return this.#screen.bytes
  }

  dispose(): void {
    this.#screen.dispose()
  }

  #forgetOldest() {
    for (const [position, mark] of this.#marks) {
      this.#screen.release(mark)
      this.#marks.delete(position)
      return
    }
  }
}

/** Yields to timers and sockets. */
const turn = Effect.callback<void>((resume) => {
  const immediate = setImmediate(() => resume(Effect.void))
  return Effect.sync(() => clearImmediate(immediate))
})
