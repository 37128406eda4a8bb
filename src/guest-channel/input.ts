import { Effect } from "effect"
import type { ChannelFailed } from "../contract/errors.ts"
import { encodeControl } from "./control.ts"
import { MAX_PAYLOAD_BYTES } from "./frame.ts"
import { HostMessage } from "./messages.ts"
import { Violation } from "./violation.ts"

type Resume = (effect: Effect.Effect<void, ChannelFailed>) => void
interface Waiting {
  /** Bytes left to send; undefined is the end of input. */
  bytes: Uint8Array | undefined
  readonly resume: Resume
}

const MAX_DATA_BYTES = MAX_PAYLOAD_BYTES - 8

/** The input of a stream: sends in order, within the guest's credit. */
export class Input {
  readonly #stream: number
  readonly #send: (frame: Buffer) => void
  #waiting: Array<Waiting> = []
  #sent: number
  #limit: number
  readonly #credit: number
  #acked: number
  /** How writes end from now on; set once the stream or the channel is over. */
  #closed: Effect.Effect<void, ChannelFailed> | undefined

  /** `limit`: how far may be sent before the first acknowledgement. `credit`: how far beyond each acknowledgement. */
  constructor(
    stream: number,
    send: (frame: Buffer) => void,
    from: { readonly sent: number; readonly limit: number; readonly credit: number }
  ) {
    this.#stream = stream
    this.#send = send
    this.#sent = from.sent
    this.#limit = from.limit
    this.#credit = from.credit
    this.#acked = 0
  }

  /** Position behind the last byte that was sent. */
  get sent(): number {
    return this.#sent
  }

  /** Sends all of `bytes`; waits while the guest does not take them. Ends well when the reader is gone. */
  write(bytes: Uint8Array) {
    return this.#enqueue(bytes)
  }

  /** Ends the input behind all writes before it. */
  end() {
    return this.#enqueue(undefined)
  }

  #enqueue(bytes: Uint8Array | undefined) {
    return Effect.async<void, ChannelFailed>((resume) => {
      if (this.#closed !== undefined) return resume(this.#closed)
      const entry: Waiting = { bytes, resume }
      this.#waiting.push(entry)
      this.#pump()
      return Effect.sync(() => {
        this.#waiting = this.#waiting.filter((other) => other !== entry)
        this.#pump()
      })
    })
  }

  acknowledged(offset: number) {
    if (offset > this.#sent) throw new Violation(`input acknowledged up to ${offset} where ${this.#sent} was sent`)
    if (offset < this.#acked) throw new Violation(`input acknowledged up to ${offset}, below ${this.#acked} before`)
    this.#acked = offset
    this.#limit = offset + this.#credit
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
        next.resume(Effect.void)
        return
      }
      while (next.bytes.length > 0) {
        const size = Math.min(next.bytes.length, this.#limit - this.#sent, MAX_DATA_BYTES)
        if (size <= 0) return
        const data = next.bytes.subarray(0, size)
        const { fields, kind } = HostMessage.DataIn
        this.#send(encodeControl(this.#stream, kind, fields, { offset: this.#sent, data }))
        this.#sent += size
        next.bytes = next.bytes.subarray(size)
      }
      this.#waiting.shift()
      next.resume(Effect.void)
    }
  }
}
