import { Deferred, Effect } from "effect"
import { settleAfterwards } from "../../system/waits/afterwards.ts"
import { asksForRetry } from "../first-bytes/tls.ts"

const SWITCH = "HTTP/1.1 101"
/** Maximum bytes that are looked at: a few alerts may precede the answer to a ClientHello. */
const MAX_BYTES = 1_024

/** A question about the first bytes from the host's side. */
interface Question {
  /** `undefined`: too few bytes. */
  readonly ask: (bytes: Buffer) => boolean | undefined
  readonly answer: Deferred.Deferred<boolean>
}

const question = (ask: Question["ask"]): Question => ({ ask, answer: Deferred.makeUnsafe<boolean>() })

/** Sees what the first bytes from the host's side say. */
export class FirstReply {
  readonly #switches = question((bytes) =>
    bytes.length < SWITCH.length ? undefined : /^HTTP\/1\.\d 101/.test(bytes.toString("latin1"))
  )
  readonly #retries = question(asksForRetry)
  #open = [this.#switches, this.#retries]
  #bytes: Buffer = Buffer.alloc(0)

  see(bytes: Uint8Array) {
    if (this.#open.length === 0) return
    this.#bytes = Buffer.concat([this.#bytes, bytes.subarray(0, MAX_BYTES)])
    this.#settle(this.#bytes.length >= MAX_BYTES)
  }

  /** No more bytes come. */
  end() {
    this.#settle(true)
  }

  /** Whether the answer switches protocols (RFC 9110, 15.2.2). */
  readonly switches: Effect.Effect<boolean> = Deferred.await(this.#switches.answer)

  /** Whether the server asks for another ClientHello. */
  readonly retries: Effect.Effect<boolean> = Deferred.await(this.#retries.answer)

  #settle(isLast: boolean) {
    this.#open = this.#open.filter(({ answer, ask }) => {
      const said = ask(this.#bytes) ?? (isLast ? false : undefined)
      if (said !== undefined) settleAfterwards(answer, Effect.succeed(said))
      return said === undefined
    })
    if (this.#open.length === 0) this.#bytes = Buffer.alloc(0)
  }
}
