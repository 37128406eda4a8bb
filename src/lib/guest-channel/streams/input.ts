import { Effect } from "effect"
import type { ChannelFailed } from "../../../contract/errors/errors.ts"
import { afterwards, waitFor } from "../../../system/waits/signal.ts"
import { encodeControl, encodePayload, offset } from "../wire/control.ts"
import { frameAround, MAX_PAYLOAD_BYTES } from "../wire/frame.ts"
import { HostMessage } from "../wire/messages.ts"
import { Violation } from "../wire/violation.ts"

type Resume = (effect: Effect.Effect<void, ChannelFailed>) => void
interface Waiting {
  /** Bytes left to send; undefined is the end of input. */
  bytes: Uint8Array | undefined
  /** The bytes do not change before they are sent. */
  readonly isLent: boolean
  readonly resume: Resume
}

const MAX_DATA_BYTES = MAX_PAYLOAD_BYTES - 8
/** Lent bytes up to this many are copied: a vectored write costs more. */
const COPIED_BYTES = 4_096

/** Ends a write after the current turn, in which its frames are written: a kill of this process may follow the answer. */
const sent = ({ resume }: Waiting) => afterwards(() => resume(Effect.void))

/** The input of a stream: sends in order, within the guest's credit. */
export class Input {
  readonly #stream: number
  readonly #send: (frame: Uint8Array) => void
  #waiting: Array<Waiting> = []
  #sent: number
  #limit: number
  #credit: number
  #acked: number
  /** How writes end from now on; set once the stream or the channel is over. */
  #closed: Effect.Effect<void, ChannelFailed> | undefined

  /** `limit`: end of the bytes that may precede the first acknowledgement. `credit`: bytes beyond each later acknowledgement. */
  constructor(
    stream: number,
    send: (frame: Uint8Array) => void,
    from: { readonly sent: number; readonly limit: number; readonly credit: number }
  ) {
    this.#stream = stream
    this.#send = send
    this.#sent = from.sent
    this.#limit = from.limit
    this.#credit = from.credit
    this.#acked = 0
  }

  /** Position after the last byte that was sent. */
  get sent(): number {
    return this.#sent
  }

  /** Sends all of `bytes`; waits while the guest does not take them. Succeeds if the reader has closed. */
  write(bytes: Uint8Array) {
    return this.#enqueue(bytes, false)
  }

  /** The same without a copy: the bytes must not change afterwards. */
  writeLent(bytes: Uint8Array) {
    return this.#enqueue(bytes, true)
  }

  /** Sends all of the bytes at the end of the current turn, or none of them: an earlier write waits, or the guest has no room. */
  tryWrite(bytes: Uint8Array): boolean {
    if (this.#closed !== undefined || this.#waiting.length > 0) return false
    if (bytes.length > Math.min(this.#limit - this.#sent, MAX_DATA_BYTES)) return false
    const { fields, kind } = HostMessage.DataIn
    this.#send(encodeControl(this.#stream, kind, fields, { offset: this.#sent, data: bytes }))
    this.#sent += bytes.length
    return true
  }

  /** Ends the input after all earlier writes. */
  end() {
    return this.#enqueue(undefined, false)
  }

  #enqueue(bytes: Uint8Array | undefined, isLent: boolean) {
    return waitFor<void, ChannelFailed>((resume) => {
      if (this.#closed !== undefined) return resume(this.#closed)
      const entry: Waiting = { bytes, isLent, resume }
      this.#waiting.push(entry)
      this.#pump()
      return Effect.sync(() => {
        this.#waiting = this.#waiting.filter((other) => other !== entry)
        this.#pump()
      })
    })
  }

  /** Raises the credit beyond each acknowledgement. */
  grant(credit: number) {
    if (credit <= this.#credit) return
    this.#credit = credit
    this.#limit = this.#acked + credit
    this.#pump()
  }

  acknowledged(position: number) {
    if (position > this.#sent) throw new Violation(`input acknowledged up to ${position} where ${this.#sent} was sent`)
    if (position < this.#acked) throw new Violation(`input acknowledged up to ${position}, below ${this.#acked} before`)
    this.#acked = position
    this.#limit = position + this.#credit
    this.#pump()
  }

  /** Nothing more is sent; writes that wait, and all later ones, end as `how`. */
  close(how: Effect.Effect<void, ChannelFailed>) {
    if (this.#closed !== undefined) return
    this.#closed = how
    for (const { resume } of this.#waiting.splice(0)) resume(how)
  }

  #pump() {
    for (let next = this.#waiting[0]; next !== undefined; next = this.#waiting[0]) {
      if (next.bytes === undefined) {
        this.#send(
          encodeControl(this.#stream, HostMessage.EndIn.kind, HostMessage.EndIn.fields, { offset: this.#sent })
        )
        this.#waiting.shift()
        this.close(Effect.void)
        sent(next)
        return
      }
      while (next.bytes.length > 0) {
        const size = Math.min(next.bytes.length, this.#limit - this.#sent, MAX_DATA_BYTES)
        if (size <= 0) return
        const data = next.bytes.subarray(0, size)
        const { fields, kind } = HostMessage.DataIn
        if (next.isLent && size > COPIED_BYTES) {
          const position = encodePayload(offset, this.#sent)
          for (const piece of frameAround(this.#stream, kind, position, data)) this.#send(piece)
        } else {
          this.#send(encodeControl(this.#stream, kind, fields, { offset: this.#sent, data }))
        }
        this.#sent += size
        next.bytes = next.bytes.subarray(size)
      }
      this.#waiting.shift()
      sent(next)
    }
  }
}
