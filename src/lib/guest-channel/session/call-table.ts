import { Deferred, Effect } from "effect"
import type { ChannelFailed } from "../../../contract/errors/errors.ts"
import { escapeGuestText } from "../../../contract/text/printable.ts"
import { settleAfterwards } from "../../../system/waits/signal.ts"
import type { Call } from "../model/calls.ts"
import { AgentCallFailed, errnoName } from "../model/errors.ts"
import { Reader } from "../wire/control.ts"
import { encodeFrame } from "../wire/frame.ts"
import { FIRST_CALL, HostMessage } from "../wire/messages.ts"
import { Violation } from "../wire/violation.ts"

export type CallResult<A> = Deferred.Deferred<A, AgentCallFailed | ChannelFailed>

interface Pending {
  readonly call: Call<unknown>
  /** How many calls were made before this one. */
  readonly order: number
  readonly result: CallResult<unknown>
  /** The caller has failed because the agent was silent. */
  isGivenUp: boolean
}

/** Calls that wait for their result. A call of an interrupted caller stays until its result comes. */
export class CallTable {
  readonly #pending = new Map<number, Pending>()
  #made = 0

  /** How many calls have been made so far. */
  get made() {
    return this.#made
  }

  /** Makes the next call from its encoded payload: its frame, which the caller sends in this order, and its result. */
  make<A>(call: Call<A>, payload: Buffer): { readonly frame: Buffer; readonly result: CallResult<A> } {
    const { frameOf, result } = this.announce(call)
    return { frame: frameOf(payload), result }
  }

  /** The frame of a call that overtakes others: its answer does not show that the agent has read the frames that wait. No fiber waits for the answer. */
  overtake(call: Call<unknown>, payload: Buffer): Buffer {
    const id = FIRST_CALL + (this.#made++ % FIRST_CALL)
    this.#pending.set(id, { call, order: -1, result: Deferred.makeUnsafe(), isGivenUp: true })
    return encodeFrame(id, HostMessage.Call.kind, payload)
  }

  /** Reserves the next call, whose payload comes later. Calls must be made in the order of their frames. */
  announce<A>(call: Call<A>): { readonly frameOf: (payload: Buffer) => Buffer; readonly result: CallResult<A> } {
    // Numbers come round after 2^31 calls, when the first are long answered.
    const id = FIRST_CALL + (this.#made % FIRST_CALL)
    const result: CallResult<A> = Deferred.makeUnsafe()
    this.#pending.set(id, { call, order: this.#made++, result: result as CallResult<unknown>, isGivenUp: false })
    return { frameOf: (payload) => encodeFrame(id, HostMessage.Call.kind, payload), result }
  }

  /** Reads RESULT; returns the order of the call it answers. */
  receive(id: number, payload: Buffer) {
    const pending = this.#pending.get(id)
    if (pending === undefined) throw new Violation(`result of a call ${id - FIRST_CALL} that was not made`)
    const { call, order, result } = pending
    settleAfterwards(result, readResult(call, payload))
    this.#pending.delete(id)
    return order
  }

  /** Whether a caller waits for a result. */
  get isAwaited() {
    for (const { isGivenUp } of this.#pending.values()) if (!isGivenUp) return true
    return false
  }

  /** Fails waiting calls, and drops their later results. */
  silence(failure: ChannelFailed) {
    for (const pending of this.#pending.values()) {
      pending.isGivenUp = true
      settleAfterwards(pending.result, Effect.fail(failure))
    }
  }

  fail(failure: ChannelFailed) {
    for (const { result } of this.#pending.values()) settleAfterwards(result, Effect.fail(failure))
    this.#pending.clear()
  }
}

const readResult = (call: Call<unknown>, payload: Buffer) => {
  const from = new Reader(payload)
  const errno = from.u32()
  const detail = from.raw(from.u32())
  if (errno === 0) {
    // A copy: results are views of a socket chunk, and may be kept for long.
    const fields = new Reader(Buffer.from(from.raw(from.left)))
    const value = call.result.read(fields)
    fields.end()
    return Effect.succeed(value)
  }
  from.end()
  return new AgentCallFailed({ operation: call.name, errno: errnoName(errno), detail: escapeGuestText(detail) })
}
