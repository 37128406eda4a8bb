import { Effect } from "effect"
import { Settled } from "../../../system/waits/signal.ts"
import { decodePayload } from "../wire/control.ts"
import { AgentMessage, RequestKind } from "../wire/messages.ts"
import { Violation } from "../wire/violation.ts"

/** An address as its literal: dotted for 4 bytes, RFC 5952's form for 16. */
export const literalOf = (address: Uint8Array) => {
  if (address.length === 4) return address.join(".")
  if (address.length !== 16) throw new Violation(`an address of ${address.length} bytes`)
  const groups = Array.from({ length: 8 }, (_, i) => ((address[2 * i]! << 8) | address[2 * i + 1]!).toString(16))
  const { length, start } = longestZeros(groups)
  if (length < 2) return groups.join(":")
  return `${groups.slice(0, start).join(":")}::${groups.slice(start + length).join(":")}`
}

/** The first of the longest runs of zero groups. */
const longestZeros = (groups: ReadonlyArray<string>) => {
  let longest = { start: 0, length: 0 }
  for (let start = 0; start < groups.length; start++) {
    let length = 0
    while (groups[start + length] === "0") length++
    if (length > longest.length) longest = { start, length }
  }
  return longest
}

/** Most open requests of an agent, by kind (guest-agent/src/net/request.h). */
const MAX_OPEN = { connect: 1_024, resolve: 256, datagrams: 256 } as const

interface PendingConnect {
  readonly what: "connect" | "datagrams"
  readonly number: number
  readonly name: string | undefined
  readonly address: string
  readonly port: number
  readonly withdrawn: Settled<void, never>
}

interface PendingResolve {
  readonly what: "resolve"
  readonly number: number
  readonly name: string
  readonly type: number
  readonly withdrawn: Settled<void, never>
}

export type PendingRequest = PendingConnect | PendingResolve

/** Takes a request; `undefined`: the connection is over. */
type Consumer = (request: PendingRequest | undefined) => void

const label = "[a-z0-9_-]{1,63}"
const namePattern = new RegExp(`^(?!.{254})${label}(?:\\.${label})*$`)

const readName = (bytes: Uint8Array) => {
  const name = Buffer.from(bytes).toString("latin1")
  if (!namePattern.test(name)) throw new Violation("a request for a malformed name", bytes)
  return name
}

const readRequest = (payload: Buffer): PendingRequest => {
  const { address, name, port, request: number, what } = decodePayload(AgentMessage.Request.fields, payload)
  if (what === RequestKind.resolve) {
    if (address.length > 0) throw new Violation("a look-up with an address")
    return { what: "resolve", number, name: readName(name as Uint8Array), type: port, withdrawn: new Settled() }
  }
  if (what !== RequestKind.connect && what !== RequestKind.datagrams) {
    throw new Violation(`a request of unknown kind ${what}`)
  }
  if (port === 0) throw new Violation("a request for port 0")
  return {
    what: what === RequestKind.connect ? "connect" : "datagrams",
    number,
    name: name.length === 0 ? undefined : readName(name as Uint8Array),
    address: literalOf(address),
    port,
    withdrawn: new Settled()
  }
}

/**
 * The open requests of a guest for the network. The protocol bounds their number. A withdrawn request without a consumer uses no memory.
 */
export class NetworkTable {
  readonly #open = new Map<number, PendingRequest>()
  /** Numbers that the consumer has not taken yet, in order of arrival. */
  readonly #untaken = new Set<number>()
  readonly #count = { connect: 0, resolve: 0, datagrams: 0 }
  #isOver = false
  #consumer: Consumer | undefined
  /** Number of accepted connections that are not released. */
  opened = 0

  receive(payload: Buffer) {
    const request = readRequest(payload)
    const { number, what } = request
    if (this.#open.has(number)) throw new Violation(`request ${number} made twice`)
    if (++this.#count[what] > MAX_OPEN[what]) throw new Violation(`more than ${MAX_OPEN[what]} open ${what} requests`)
    this.#open.set(number, request)
    this.#untaken.add(number)
    this.#wake()
  }

  /** Reads WITHDRAW. The agent may not know yet that the request was answered. */
  withdraw(payload: Buffer) {
    const { request: number } = decodePayload(AgentMessage.Withdraw.fields, payload)
    const request = this.#open.get(number)
    if (request !== undefined && this.answered(number)) request.withdrawn.send(Effect.void)
  }

  /** Closes a request; false for one that was closed before. */
  answered(number: number) {
    const request = this.#open.get(number)
    if (request === undefined) return false
    this.#open.delete(number)
    this.#untaken.delete(number)
    this.#count[request.what]--
    return true
  }

  /** Hands each request to the consumer, in the callback of its frame, until the consumer pauses. One consumer at a time. */
  consume(consumer: Consumer) {
    this.#consumer = consumer
    this.#wake()
  }

  pause() {
    this.#consumer = undefined
  }

  end() {
    this.#isOver = true
    this.#open.clear()
    this.#untaken.clear()
    this.#wake()
  }

  #wake() {
    for (let consumer = this.#consumer; consumer !== undefined; consumer = this.#consumer) {
      if (this.#isOver) {
        this.pause()
        return consumer(undefined)
      }
      const [number] = this.#untaken
      if (number === undefined) return
      this.#untaken.delete(number)
      consumer(this.#open.get(number)!)
    }
  }
}
