import { type Signal, startTimer } from "../../../system/waits/signal.ts"
import { Violation } from "../wire/violation.ts"

/**
 * Transfers wait while the agent has more unread bytes: this is the maximum before a command's frame. More than the step of the agent's
 * reports (STEP of its taken.c). Measured in docs/benchmarks.md, `exec-beside-own-download`.
 */
const AHEAD_BYTES = 196_608
/** Time for which transfers keep this limit after a request that met one, in ms. Alone, a download is a tenth faster with full buffers. */
const LIMITED_MS = 30_000
/** A request meets a transfer if the transfer sent bytes within this time, in ms. */
const MEETING_MS = 100
/** How long transfers wait for a request, in ms. A command that takes longer shares the guest's processor with them. */
const PAUSE_MS = 20

/** The end of a request. */
type Ending = Pick<Signal<unknown>, "listen">

/**
 * Decides when the bytes of connections may go to the guest. They pause for a new request: a command beside a download of its own workspace
 * would take three times as long otherwise.
 */
export class TransferGate {
  readonly #changed: () => void
  readonly #now: () => number
  /** Requests that have not ended, with the time at which each was sent. The first ones are the oldest. */
  readonly #requests = new Map<Ending, number>()
  /** Bytes of all frames since the hello. */
  #sentBytes = 0
  /** Number of them that the agent has reported as handled; undefined before its first report. An older agent makes none. */
  #takenBytes: number | undefined
  /** When transfers were last let through. */
  #transferredAtMs = -Infinity
  /** When a request last met a transfer. */
  #metAtMs = -Infinity
  #pausedAtMs: number | undefined
  /** `sentBytes` at the end of the last pause. Transfers continue for a moment between two pauses, and small transfers never pause. */
  #resumedAtBytes = 0
  #timer: ReturnType<typeof startTimer> | undefined

  /** `changed` is called when the gate may have opened. */
  constructor(changed: () => void, monotonicMs: () => number) {
    this.#changed = changed
    this.#now = monotonicMs
  }

  /** A hello was sent: both sides count from its end. */
  restart() {
    this.#sentBytes = 0
    this.#takenBytes = undefined
    this.#resumedAtBytes = 0
  }

  /** A frame, or a piece of one, goes to the guest. */
  sent(bytes: number) {
    this.#sentBytes += bytes
  }

  /** The agent reports the number of bytes since the hello that it has handled. */
  taken(bytes: number) {
    if (bytes > this.#sentBytes || bytes < (this.#takenBytes ?? 0)) {
      throw new Violation(`${bytes} bytes taken, ${this.#takenBytes ?? 0} before, of ${this.#sentBytes}`)
    }
    this.#takenBytes = bytes
    this.#changed()
  }

  /** A request goes to the guest: transfers wait until it has ended, but not long. */
  requested(ending: Ending) {
    const now = this.#now()
    if (now - this.#transferredAtMs < MEETING_MS) this.#metAtMs = now
    this.#requests.set(ending, now)
    ending.listen(() => {
      this.#requests.delete(ending)
      if (this.#pausedAtMs !== undefined) this.#changed()
    })
  }

  /** Whether the bytes of a connection may go now. */
  get isOpen() {
    const now = this.#now()
    if (this.#isFull(now) || this.#isPaused(now)) return false
    this.#transferredAtMs = now
    return true
  }

  #isFull(now: number) {
    if (this.#takenBytes === undefined || now - this.#metAtMs >= LIMITED_MS) return false
    return this.#sentBytes - this.#takenBytes >= AHEAD_BYTES
  }

  #isPaused(now: number) {
    const mayPause = this.#pausedAtMs === undefined
      ? this.#sentBytes - this.#resumedAtBytes >= AHEAD_BYTES
      : now - this.#pausedAtMs < PAUSE_MS
    if (!mayPause || !this.#hasNewRequest(now)) {
      this.#endPause()
      return false
    }
    this.#pausedAtMs ??= now
    this.#timer ??= startTimer(PAUSE_MS, () => {
      this.#endPause()
      this.#changed()
    })
    return true
  }

  #hasNewRequest(now: number) {
    for (const [ending, sentAtMs] of this.#requests) {
      if (now - sentAtMs < PAUSE_MS) return true
      this.#requests.delete(ending)
    }
    return false
  }

  #endPause() {
    this.#timer?.cancel()
    this.#timer = undefined
    if (this.#pausedAtMs === undefined) return
    this.#pausedAtMs = undefined
    this.#resumedAtBytes = this.#sentBytes
  }

  /** Nothing is sent any more. */
  close() {
    this.#endPause()
    this.#requests.clear()
  }
}
