import { Deferred, Effect, FiberId } from "effect"
import { readFraming } from "./hello/framing.ts"
import type { Hello } from "./hello/hello.ts"
import { fronting, inspect, inspectWhole } from "./hello/inspect.ts"
import { RequestBody } from "./hello/request-body.ts"
import { Denied, type Sender } from "./sender.ts"

/** Pieces in which a head may come. Each piece has all bytes before it read again. */
const MAX_HEAD_PIECES = 256

const AMBIGUOUS = "servers may disagree on the end of an HTTP request"

/** Sees whether the first bytes from the host's side are an answer that switches protocols (RFC 9110, 15.2.2). */
export class FirstReply {
  readonly #switches = Deferred.unsafeMake<boolean>(FiberId.none)
  #text: string | undefined = ""

  see(bytes: Uint8Array) {
    if (this.#text === undefined) return
    this.#text += Buffer.from(bytes.subarray(0, 16)).toString("latin1")
    if (this.#text.length >= "HTTP/1.1 101".length) this.#settle(/^HTTP\/1\.\d 101/.test(this.#text))
  }

  /** No more bytes come. */
  end() {
    if (this.#text !== undefined) this.#settle(false)
  }

  readonly switches: Effect.Effect<boolean> = Deferred.await(this.#switches)

  #settle(switches: boolean) {
    this.#text = undefined
    Deferred.unsafeDone(this.#switches, Effect.succeed(switches))
  }
}

type Judged = Exclude<Hello, { readonly _tag: "NeedMore" }>

/** After a request of HTTP/1, only another request may follow. */
const frontingLater = (name: string, hello: Judged) =>
  hello._tag === "Tls" || hello._tag === "Other"
    ? "the bytes after an HTTP request are no HTTP request"
    : fronting(name, hello)

/**
 * Holds the first bytes until they name a host, or show that they never will. Of HTTP/1, holds the head of each request: the bodies between them are
 * counted and pass. A protocol that the server switches to passes.
 */
export const withJudgement = (name: string, send: Sender, reply: FirstReply): Sender<Denied> => {
  let held: Buffer = Buffer.alloc(0)
  let pieces = 0
  let requests = 0
  let isOpen = false
  let awaitsReply = false
  let body: RequestBody | undefined
  const denied = (detail: string) => Effect.fail(new Denied(detail))
  const judge = (hello: Judged) => requests === 0 ? fronting(name, hello) : frontingLater(name, hello)

  /** Takes a request's head off the held bytes. `undefined`: the head is not complete. */
  const nextHead = (bytes: Buffer): number | Denied | undefined => {
    const hello = inspect(bytes)
    if (hello._tag === "NeedMore") {
      pieces += 1
      return pieces < MAX_HEAD_PIECES ? undefined : new Denied("its first bytes come in too many pieces")
    }
    const detail = judge(hello)
    if (detail !== undefined) return new Denied(detail)
    pieces = 0
    if (hello._tag !== "Http") {
      isOpen = true
      return bytes.length
    }
    requests += 1
    const framing = readFraming(bytes)
    body = new RequestBody(framing.body)
    // Of a later request, nobody knows which answer is its own: the bytes after it are compared as requests.
    awaitsReply = framing.asksForUpgrade && requests === 1
    return framing.headBytes
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
      if (awaitsReply || at === held.length) return at
      const head = nextHead(held.subarray(at))
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
    return awaitsReply && body === undefined && held.length > 0 ? Effect.zipRight(sent, afterReply) : sent
  })
  const afterReply: Effect.Effect<void, Denied> = Effect.flatMap(reply.switches, (switches) => {
    awaitsReply = false
    isOpen = switches
    return advance
  })

  return {
    write: (bytes) =>
      Effect.suspend(() => {
        if (isOpen) return send.write(bytes)
        const piece = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
        held = held.length === 0 ? piece : Buffer.concat([held, piece])
        return advance
      }),
    end: () =>
      Effect.suspend(() => {
        const hello = isOpen || body !== undefined || held.length === 0 ? undefined : inspectWhole(held)
        // A client that ends here has made no whole request.
        const detail = hello === undefined || hello._tag === "NeedMore" ? undefined : judge(hello)
        if (detail !== undefined) return denied(detail)
        return Effect.zipRight(held.length === 0 ? Effect.void : send.write(held), Effect.suspend(send.end))
      })
  }
}
