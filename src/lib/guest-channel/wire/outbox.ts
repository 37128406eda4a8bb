import { Effect } from "effect"
import type { Duplex } from "node:stream"
import { afterwards, Waiters } from "../../../system/waits/signal.ts"
import { TransferGate } from "../streams/transfer-gate.ts"

/** Frames up to this many bytes are joined into one write; copying them is cheaper than a vectored write. */
const JOINED_BYTES = 16_384
/** Untaken bytes in the socket above which signals and resizes wait. */
const CONGESTED_BYTES = 1_048_576
/** The same for the bytes of connections: the maximum number of bytes before a command's frames. */
const CALM_BYTES = 65_536
/** Maximum delay of low-priority frames, in ms, and their maximum number. */
const LATER_MS = 50
const MOST_LATER = 64
/** Twice the input credit of 1,024 streams: only a guest that grants credit without reading leaves more untaken. */
const MAX_UNTAKEN_BYTES = 134_217_728

/** Collects the frames of one turn of the event loop and writes them at once, in order. */
export class Outbox {
  #socket: Duplex
  #frames: Array<Uint8Array> = []
  #bytes = 0
  readonly #waiting = new Waiters()
  #isPaused = false
  /** Between two sockets: the one before is destroyed, and frames wait for the next. */
  #isMoving = false
  /** Sent frames are written before the event loop continues. */
  #isDue = false
  #later: NodeJS.Timeout | undefined
  readonly transfers: TransferGate

  readonly #onOverflow: (detail: string) => void
  readonly #flush = () => this.flush()

  constructor(socket: Duplex, onOverflow: (detail: string) => void, monotonicMs: () => number) {
    this.#socket = socket
    this.#onOverflow = onOverflow
    this.transfers = new TransferGate(() => this.#waiting.wake(), monotonicMs)
    socket.on("drain", () => this.#waiting.wake())
  }

  /** The socket ends now, and another one comes, or the end. */
  leave() {
    this.#isMoving = true
  }

  /** Writes to another socket from now on. */
  moveTo(socket: Duplex) {
    this.#isMoving = false
    this.#socket = socket
    socket.on("drain", () => this.#waiting.wake())
    this.#waiting.wake()
  }

  /** Sends a frame, or one of its pieces. The caller sends nothing between the pieces of a frame. */
  send(frame: Uint8Array) {
    if (!this.#isDue) afterwards(this.#flush)
    this.#isDue = true
    this.#add(frame)
  }

  /** Sends a low-priority frame with the next frame, or after a delay. A frame of its own would wake the guest and delay a command. */
  sendLater(frame: Buffer) {
    this.#add(frame)
    if (this.#frames.length >= MOST_LATER) return this.flush()
    this.#later ??= setTimeout(this.#flush, LATER_MS)
  }

  #add(frame: Uint8Array) {
    this.#frames.push(frame)
    this.#count(frame)
  }

  #count({ length }: Uint8Array) {
    this.#bytes += length
    this.transfers.sent(length)
  }

  /** Waits while the guest has too many untaken bytes for another small frame. */
  readonly room = this.#below(CONGESTED_BYTES)

  /** Waits while many frames are untaken, so that the content of a file delays a command by little. */
  readonly steady = this.#below(CALM_BYTES)

  /** Waits while frames of others are untaken or a request is new, so that a transfer delays no command. */
  readonly calm = this.#below(CALM_BYTES, () => this.transfers.isOpen)

  /** Waits until less than `limitBytes` are untaken. Waiters continue one after the other: each counts the bytes of the one before. */
  #below(limitBytes: number, isOpen = () => true): Effect.Effect<void> {
    const untaken = () => this.#bytes + (this.#isMoving ? 0 : this.#socket.writableLength)
    const hasRoom = () => (this.#socket.destroyed && !this.#isMoving) || (untaken() < limitBytes && isOpen())
    return Effect.suspend(() =>
      hasRoom() ? Effect.void : Effect.andThen(this.#waiting.wait(hasRoom), this.#below(limitBytes, isOpen))
    )
  }

  /** Writes all sent frames. Later frames wait until `resume`. */
  pause() {
    this.flush()
    this.#isPaused = true
  }

  /** Sends `first` before the waiting frames. */
  resume(first: ReadonlyArray<Buffer>) {
    this.#isPaused = false
    for (const frame of first) this.#count(frame)
    this.#frames.unshift(...first)
    this.flush()
    this.#waiting.wake()
  }

  /** Drops unwritten frames and ends all waits. */
  close() {
    clearTimeout(this.#later)
    this.#isMoving = false
    this.transfers.close()
    this.#frames = []
    this.#bytes = 0
    this.#waiting.wake()
  }

  /** Writes the frames since the last write. */
  flush() {
    clearTimeout(this.#later)
    this.#later = undefined
    if (this.#isPaused) return
    const frames = this.#frames
    const bytes = this.#bytes
    this.#frames = []
    this.#bytes = 0
    this.#isDue = false
    if (frames.length === 0 || this.#socket.destroyed) return
    if (this.#socket.writableLength > MAX_UNTAKEN_BYTES) {
      return this.#onOverflow(`the guest leaves more than ${MAX_UNTAKEN_BYTES} bytes unread`)
    }
    if (frames.length === 1) {
      this.#socket.write(frames[0])
    } else if (bytes <= JOINED_BYTES) {
      this.#socket.write(Buffer.concat(frames, bytes))
    } else {
      this.#socket.cork()
      for (const frame of frames) this.#socket.write(frame)
      this.#socket.uncork()
    }
  }
}
