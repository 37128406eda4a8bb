import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Fiber, Result } from "effect"
import { readFraming } from "../../../../src/lib/network/both/first-bytes/http.ts"
import { FirstReply, withJudgement } from "../../../../src/lib/network/daemon/connection/judge-first-bytes.ts"
import { RequestBody } from "../../../../src/lib/network/daemon/first-bytes/request-body.ts"

const head = (...headers: ReadonlyArray<string>) =>
  `POST /a HTTP/1.1\r\n${["Host: example.com", ...headers].map((one) => `${one}\r\n`).join("")}\r\n`
const framingOf = (text: string) => readFraming(Buffer.from(text, "latin1"))
const length = (bytes: number) => ({ _tag: "Length", bytes }) as const

describe("the end of an HTTP request", () => {
  it("a head has the length of its body, or a chunked body, or none", () => {
    for (
      const [headers, body] of [
        [[], length(0)],
        [["Content-Length: 12"], length(12)],
        [["content-length:0"], length(0)],
        [["Transfer-Encoding: Chunked"], { _tag: "Chunked" }]
      ] as const
    ) {
      const text = head(...headers)
      assert.deepStrictEqual(framingOf(`\r\n${text}rest`), {
        headBytes: text.length + 2,
        body,
        asksForUpgrade: false
      })
    }
  })

  it("a head that servers read in different ways has no known end", () => {
    const heads = [
      ...[
        ["Content-Length: 1", "Transfer-Encoding: chunked"],
        ["Content-Length: 1", "Content-Length: 1"],
        ["Content-Length: 1, 1"],
        ["Content-Length: +1"],
        ["Content-Length: 0x1"],
        ["Content-Length:"],
        ["Transfer-Encoding: chunked, identity"],
        ["Transfer-Encoding: identity"],
        ["Transfer-Encoding: chunked", "Transfer-Encoding: chunked"],
        ["X\0: 1"],
        ["X: a\0b"]
      ].map((headers) => head(...headers)),
      "POST /a HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n",
      "POST /a HTTP/1.1\nContent-Length: 1\n\n",
      "POST  /a HTTP/1.1\r\n\r\n",
      "POST /a HTTP/1.1 \r\n\r\n",
      "CONNECT example.com:443 HTTP/1.1\r\n\r\n"
    ]
    for (const text of heads) {
      const { body, headBytes } = framingOf(text)
      assert.deepStrictEqual([body._tag, headBytes], ["Unknown", text.length], JSON.stringify(text))
    }
  })

  it("a chunked body ends at the same byte whatever the pieces", () => {
    const text = "4\r\nGET \r\n1a\r\n/ HTTP/1.1\r\nHost: evil\r\n\r\n\r\n0\r\n\r\n"
    for (let size = 1; size <= text.length + 5; size++) {
      const body = new RequestBody({ _tag: "Chunked" })
      let held = Buffer.alloc(0)
      let taken = 0
      for (let at = 0; !body.isOver; at += size) {
        held = Buffer.concat([held, Buffer.from(`${text}next!`.slice(at, at + size))])
        const count = body.take(held)!
        taken += count
        held = held.subarray(count)
      }
      assert.strictEqual(taken, text.length, `pieces of ${size}`)
    }
  })

  it("chunks that servers read in different ways are told", () => {
    for (
      const text of [
        "1;a=b\r\n",
        "1\n",
        "g\r\n",
        " 1\r\n",
        "123456789\r\n",
        "1\r\nab\r\n",
        "0\r\nTrailer: x\r\n\r\n",
        "-1\r\n"
      ]
    ) {
      assert.isUndefined(new RequestBody({ _tag: "Chunked" }).take(Buffer.from(text)), JSON.stringify(text))
    }
  })
})

/** A client of example.com, and the bytes that reach the server. */
const client = () => {
  const reply = new FirstReply()
  const sent: Array<Uint8Array> = []
  const sender = withJudgement("example.com", {
    write: (bytes) => Effect.sync(() => void sent.push(Buffer.from(bytes))),
    end: () => Effect.void
  }, reply)
  return {
    reply,
    write: (text: string) => sender.write(Buffer.from(text, "latin1")),
    end: Effect.suspend(sender.end),
    sent: () => Buffer.concat(sent).toString("latin1")
  }
}
const get = (host = "example.com", ...headers: ReadonlyArray<string>) =>
  `GET / HTTP/1.1\r\nHost: ${host}\r\n${headers.map((one) => `${one}\r\n`).join("")}\r\n`
const detailOf = (work: Effect.Effect<void, { readonly detail: string }>) =>
  Effect.map(Effect.result(work), (done) => Result.isFailure(done) ? done.failure.detail : "passed")
const evil = "the HTTP Host is \"evil.example\", and the connection is to example.com"

describe("the requests of one HTTP connection", () => {
  it.effect("every request is compared, alone and in a pipeline", () =>
    Effect.gen(function*() {
      const alone = client()
      yield* alone.write(get())
      yield* alone.write(`${head("Content-Length: 3")}abc`)
      yield* alone.write(get())
      assert.strictEqual(yield* detailOf(alone.write(get("evil.example"))), evil)
      assert.strictEqual(alone.sent(), `${get()}${head("Content-Length: 3")}abc${get()}`)
      const piped = client()
      assert.strictEqual(yield* detailOf(piped.write(get() + get() + get("evil.example"))), evil)
    }))

  it.effect("a request after a body is compared, whatever the pieces", () =>
    Effect.gen(function*() {
      const good = `${head("Transfer-Encoding: chunked")}5\r\nHost:\r\n0\r\n\r\n${head("Content-Length: 2")}\r\n`
      for (let size = 1; size < 80; size += 3) {
        const one = client()
        const text = good + get("evil.example")
        let detail = "passed"
        for (let at = 0; at < text.length && detail === "passed"; at += size) {
          detail = yield* detailOf(one.write(text.slice(at, at + size)))
        }
        assert.strictEqual(detail, evil, `pieces of ${size}`)
        assert.isTrue(good.startsWith(one.sent()) || one.sent() === good)
      }
    }))

  it.effect("a body that looks like a request passes", () =>
    Effect.gen(function*() {
      const { sent, write } = client()
      const text = `${head(`Content-Length: ${get("evil.example").length}`)}${get("evil.example")}`
      yield* write(text)
      assert.strictEqual(sent(), text)
    }))

  it.effect("bytes after a request whose end is not clear are denied, and the request alone passes", () =>
    Effect.gen(function*() {
      const { sent, write } = client()
      const text = head("Content-Length: 1", "Transfer-Encoding: chunked")
      yield* write(text)
      assert.strictEqual(yield* detailOf(write("0")), "servers may disagree on the end of an HTTP request")
      assert.strictEqual(sent(), text)
    }))

  it.effect("another protocol after a request is denied, also at the end", () =>
    Effect.gen(function*() {
      const detail = "the bytes after an HTTP request are no HTTP request"
      const ssh = client()
      yield* ssh.write(get())
      assert.strictEqual(yield* detailOf(ssh.write("SSH-2.0-x\r\n")), detail)
      const cut = client()
      yield* cut.write(`${get()}evil`)
      assert.strictEqual(yield* detailOf(cut.end), detail)
    }))

  it.effect("bytes after an upgrade wait for the server, and pass once the server switches", () =>
    Effect.gen(function*() {
      const { reply, sent, write } = client()
      const upgrade = get("example.com", "Upgrade: websocket", "Connection: Upgrade")
      yield* write(upgrade)
      const frame = yield* Effect.forkChild(write("\x81\x05frame"))
      yield* Effect.yieldNow
      assert.strictEqual(sent(), upgrade)
      reply.see(Buffer.from("HTTP/1."))
      reply.see(Buffer.from("1 101 Switching Protocols\r\n"))
      yield* Fiber.join(frame)
      yield* write(get("evil.example"))
      assert.strictEqual(sent(), `${upgrade}\x81\x05frame${get("evil.example")}`)
    }))

  it.effect("a refused upgrade, and one after another request, change nothing", () =>
    Effect.gen(function*() {
      const upgrade = get("example.com", "Upgrade: h2c")
      const refused = client()
      const done = yield* Deferred.make<string>()
      yield* refused.write(upgrade)
      yield* Effect.forkChild(Deferred.complete(done, detailOf(refused.write(get("evil.example")))))
      refused.reply.see(Buffer.from("HTTP/1.1 200 OK\r\n"))
      assert.strictEqual(yield* Deferred.await(done), evil)
      const late = client()
      late.reply.see(Buffer.from("HTTP/1.1 200 OK\r\n"))
      yield* late.write(get() + upgrade)
      assert.strictEqual(yield* detailOf(late.write(get("evil.example"))), evil)
    }))
})
