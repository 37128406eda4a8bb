import { Deferred, Effect } from "effect"
import { settleAfterwards } from "../../../../system/waits/signal.ts"
import type { Hello } from "../../both/first-bytes/hello.ts"
import { FirstLine, ODD_REQUEST, readFraming } from "../../both/first-bytes/http.ts"
import { fronting, inspect, inspectWhole } from "../../both/first-bytes/inspect.ts"
import { asksForRetry, helloBytes, recordBeforeRetry } from "../../both/first-bytes/tls.ts"
import { RequestBody } from "../first-bytes/request-body.ts"

/** The direction of a connection from the guest to the host's side. */
export interface Sender<E = never> {
  readonly write: (bytes: Uint8Array) => Effect.Effect<void, E>
  readonly end: () => Effect.Effect<void, E>
}

/** The guest sent something that the connection must not carry. */
export class Denied {
  readonly detail: string
  constructor(detail: string) {
    this.detail = detail
  }
}

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

/** Reads the first bytes from the host's side. */
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

/** Pieces in which a head may come. Each piece has all bytes before it read again. */
const MAX_HEAD_PIECES = 256

const AMBIGUOUS = "servers may disagree on the end of an HTTP request"

type Judged = Exclude<Hello, { readonly _tag: "NeedMore" }>

/** After a request of HTTP/1, only another request may follow. */
const frontingLater = (name: string, hello: Judged) =>
  hello._tag === "Tls" || hello._tag === "Other"
    ? "the bytes after an HTTP request are no HTTP request"
    : fronting(name, hello)

/** Condition for the bytes after a ClientHello, or after a request for another protocol. */
type Awaited = "switches" | "retries"

/**
 * Holds the first bytes until they name a host, or show that they never will. In HTTP/1, holds the head of each request; the bodies between them are
 * counted and pass. A protocol that the server switches to passes. In TLS, holds the bytes after the ClientHello until the server has answered: the
 * server may ask for another ClientHello.
 */
export const withJudgement = (name: string, send: Sender, reply: FirstReply): Sender<Denied> => {
  let held: Buffer = Buffer.alloc(0)
  let pieces = 0
  let requests = 0
  let isOpen = false
  let isRetry = false
  let awaited: Awaited | undefined
  let body: RequestBody | undefined
  let firstLine: FirstLine | undefined
  const denied = (detail: string) => Effect.fail(new Denied(detail))
  const judge = (hello: Judged) => requests === 0 ? fronting(name, hello) : frontingLater(name, hello)

  const more = () => {
    pieces += 1
    return pieces < MAX_HEAD_PIECES ? undefined : new Denied("its first bytes come in too many pieces")
  }

  /** Lets all bytes pass, but a first line that turns out to be a request. */
  const open = (bytes: Buffer): number | Denied => {
    isOpen = true
    firstLine = new FirstLine()
    return firstLine.looksLikeRequest(bytes) ? new Denied(ODD_REQUEST) : bytes.length
  }

  /** Takes a head off the held bytes: a request's, or a ClientHello. `undefined`: the head is not complete. */
  const nextHead = (bytes: Buffer): number | Denied | undefined => {
    const hello = inspect(bytes)
    if (hello._tag === "NeedMore") return more()
    const detail = judge(hello)
    if (detail !== undefined) return new Denied(detail)
    pieces = 0
    if (hello._tag === "Tls") {
      if (!isRetry) awaited = "retries"
      isOpen = isRetry
      return isRetry ? bytes.length : helloBytes(bytes)
    }
    if (hello._tag !== "Http") return open(bytes)
    requests += 1
    const framing = readFraming(bytes)
    body = new RequestBody(framing.body)
    // The answer to a later request cannot be identified: the bytes after that request are compared as requests.
    if (framing.asksForUpgrade && requests === 1) awaited = "switches"
    return framing.headBytes
  }

  /** The second ClientHello, after the records that may precede it. */
  const nextHello = (bytes: Buffer): number | Denied | undefined => {
    const before = recordBeforeRetry(bytes)
    if (before !== 0) return before ?? more()
    const hello = inspect(bytes)
    if (hello._tag !== "Tls" && hello._tag !== "NeedMore") {
      return new Denied("no ClientHello follows the server's request for one")
    }
    return nextHead(bytes)
  }

  /** Number of the held bytes that may pass now. */
  const passing = (): number | Denied => {
    let at = 0
    while (!isOpen) {
      if (body !== undefined) {
        const taken = body.take(held.subarray(at))
        if (taken === undefined) return new Denied(AMBIGUOUS)
        at += taken
        if (!body.isOver) return at
        body = undefined
      }
      if (awaited !== undefined || at === held.length) return at
      const head = isRetry ? nextHello(held.subarray(at)) : nextHead(held.subarray(at))
      if (head === undefined) return at
      if (typeof head !== "number") return head
      at += head
    }
    return held.length
  }

  const advance: Effect.Effect<void, Denied> = Effect.suspend(() => {
    const count = passing()
    if (typeof count !== "number") return Effect.fail(count)
    const bytes = held.subarray(0, count)
    held = held.subarray(count)
    const sent = bytes.length === 0 ? Effect.void : send.write(bytes)
    return awaited !== undefined && body === undefined && held.length > 0 ? Effect.andThen(sent, afterReply) : sent
  })
  const afterReply: Effect.Effect<void, Denied> = Effect.suspend(() => {
    const question = awaited
    return Effect.flatMap(question === "retries" ? reply.retries : reply.switches, (isSo) => {
      awaited = undefined
      isOpen = question === "retries" ? !isSo : isSo
      isRetry = question === "retries" && isSo
      return advance
    })
  })

  return {
    write: (bytes) =>
      Effect.suspend(() => {
        if (isOpen) {
          if (firstLine?.isOver === false && firstLine.looksLikeRequest(bytes)) return denied(ODD_REQUEST)
          return send.write(bytes)
        }
        const piece = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
        held = held.length === 0 ? piece : Buffer.concat([held, piece])
        return advance
      }),
    end: () =>
      Effect.suspend(() => {
        const hello = isOpen || awaited !== undefined || body !== undefined || held.length === 0
          ? undefined
          : inspectWhole(held)
        // A client that ends here has made no whole request.
        const detail = hello === undefined || hello._tag === "NeedMore" ? undefined : judge(hello)
        if (detail !== undefined) return denied(detail)
        return Effect.andThen(held.length === 0 ? Effect.void : send.write(held), Effect.suspend(send.end))
      })
  }
}
