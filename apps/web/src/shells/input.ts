import { Effect } from "effect"
import { INPUT_BYTES } from "../../../../src/contract/wire/rpcs.ts"
import type { InputSink } from "../../../../src/sdk/over-socket.ts"

/** Most typed bytes that wait for the daemon. A paste of more is cut, so that a stuck shell cannot fill the browser's memory. */
const MOST_WAITING = 4_194_304

/** Keys and sizes of a terminal, in order, to whatever connection the shell has now. */
export const makeShellInput = () => {
  let sink: InputSink<unknown> | undefined
  let sent = 0
  let waiting: Array<Uint8Array> = []
  let waitingBytes = 0
  let isSending = false

  const next = () => {
    const all = new Uint8Array(Math.min(INPUT_BYTES, waitingBytes))
    let at = 0
    while (at < all.length) {
      const piece = waiting[0]!
      const part = piece.subarray(0, all.length - at)
      all.set(part, at)
      at += part.length
      if (part.length === piece.length) waiting.shift()
      else waiting[0] = piece.subarray(part.length)
    }
    waitingBytes -= all.length
    return all
  }

  const send = async () => {
    if (isSending) return
    isSending = true
    while (sink !== undefined && waitingBytes > 0) {
      const to = sink
      const bytes = next()
      const at = sent
      sent += bytes.length
      // A lost connection loses its unanswered input: the shell may have got that input, and a key must not act twice.
      await Effect.runPromiseExit(Effect.scoped(to.write(at, bytes)))
    }
    isSending = false
  }

  return {
    /** A new connection, which counts its bytes anew. What was typed without a connection is dropped. */
    connect: (to: InputSink<unknown>) => {
      sink = to
      sent = 0
      waiting = []
      waitingBytes = 0
    },
    disconnect: () => {
      sink = undefined
    },
    type: (bytes: Uint8Array) => {
      if (sink === undefined || bytes.length === 0 || waitingBytes + bytes.length > MOST_WAITING) return
      waiting.push(bytes)
      waitingBytes += bytes.length
      void send()
    },
    resize: (size: { readonly rows: number; readonly cols: number }) => {
      if (sink !== undefined) void Effect.runPromiseExit(sink.resize(size))
    }
  }
}
