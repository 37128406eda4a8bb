import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Result } from "effect"
import * as net from "node:net"
import * as tls from "node:tls"
import { asksForRetry } from "../../../../src/lib/network/both/first-bytes/tls.ts"
import { FirstReply, withJudgement } from "../../../../src/lib/network/daemon/connection/judge-first-bytes.ts"
import { HOST, listen, makeIdentity } from "./intercept/intercepted.ts"

/** Wants a key of another group than clients send first, so that every client has to send a second ClientHello. */
const listenRetrying = Effect.gen(function*() {
  const { cert, key } = yield* makeIdentity
  return yield* listen(tls.createServer({ cert, key, ecdhCurve: "secp384r1", minVersion: "TLSv1.3" }, (socket) => {
    socket.on("error", () => {}).end("hello")
  }))
})

/** A client's connection to a port, judged by a name. */
const judged = (name: string, port: number) => {
  const reply = new FirstReply()
  const socket = net.connect({ port, host: "127.0.0.1", allowHalfOpen: true })
  socket.on("error", () => {})
  const sent: Array<Buffer> = []
  const sender = withJudgement(name, {
    write: (bytes) =>
      Effect.sync(() => {
        sent.push(Buffer.from(bytes))
        socket.write(bytes)
      }),
    end: () => Effect.void
  }, reply)
  return { reply, sender, sent, socket }
}

/** A real client's connection to the port, through a judgement. */
const connectThrough = (name: string, port: number, options: tls.ConnectionOptions) =>
  Effect.gen(function*() {
    const front = yield* listen(net.createServer({ allowHalfOpen: true }, (guest) => {
      const { reply, sender, socket } = judged(name, port)
      let last: Effect.Effect<unknown> = Effect.void
      guest.on("error", () => {}).on("data", (chunk: Buffer) => {
        last = Effect.runSync(Effect.cached(Effect.andThen(last, Effect.result(sender.write(chunk)))))
        void Effect.runPromise(last)
      })
      socket.on("data", (chunk: Buffer) => {
        reply.see(chunk)
        guest.write(chunk)
      })
      socket.once("end", () => guest.end())
    }))
    return yield* Effect.callback<string>((resume) => {
      let text = ""
      const client = tls.connect({ port: front, host: "127.0.0.1", rejectUnauthorized: false, ...options })
      client.on("error", ({ message }) => resume(Effect.succeed(message)))
      client.on("data", (chunk) => (text += chunk.toString())).once("end", () => resume(Effect.succeed(text)))
    })
  })

/** The bytes of a real ClientHello. */
const helloOf = (servername: string) =>
  Effect.callback<Buffer>((resume) => {
    const server = net.createServer((socket) => {
      socket.on("error", () => {}).once("data", (chunk: Buffer) => {
        server.close()
        socket.destroy()
        resume(Effect.succeed(chunk))
      })
    }).listen(0, "127.0.0.1", () => {
      const { port } = server.address() as net.AddressInfo
      tls.connect({ port, host: "127.0.0.1", servername, ecdhCurve: "X25519:secp384r1" }).on("error", () => {})
    })
  })

const CHANGE_OF_CIPHERS = Buffer.from([20, 3, 3, 0, 1, 1])
const EARLY_DATA = Buffer.from([23, 3, 3, 0, 2, 0x16, 1])

describe("a server that asks for a second ClientHello", () => {
  it.live("a client that names the same host twice is served", () =>
    Effect.gen(function*() {
      const port = yield* listenRetrying
      assert.strictEqual(
        yield* connectThrough(HOST, port, { servername: HOST, ecdhCurve: "X25519:secp384r1" }),
        "hello"
      )
      assert.strictEqual(yield* connectThrough(HOST, port, { servername: HOST, ecdhCurve: "secp384r1" }), "hello")
    }))

  const odd: ReadonlyArray<readonly [title: string, between: Buffer]> = [
    ["at once", Buffer.alloc(0)],
    ["behind a change of ciphers", CHANGE_OF_CIPHERS],
    ["behind early data", Buffer.concat([EARLY_DATA, CHANGE_OF_CIPHERS, EARLY_DATA])]
  ]
  for (const [title, between] of odd) {
    it.live(`a second ClientHello for another host ${title} reaches no server`, () =>
      Effect.gen(function*() {
        const { reply, sender, sent, socket } = judged(HOST, yield* listenRetrying)
        yield* Effect.addFinalizer(() => Effect.sync(() => socket.destroy()))
        let answer = Buffer.alloc(0)
        socket.on("data", (chunk: Buffer) => {
          answer = Buffer.concat([answer, chunk])
          reply.see(chunk)
        })
        const first = yield* helloOf(HOST)
        // Both at once: the server reads the second one when it asks.
        const second = Buffer.concat([between, yield* helloOf("evil.test")])
        const done = yield* Effect.result(sender.write(Buffer.concat([first, second])))
        assert.isTrue(asksForRetry(answer))
        assert(Result.isFailure(done))
        assert.include(done.failure.detail, "\"evil.test\", and the connection is to server.test")
        assert.notInclude(Buffer.concat(sent).toString("latin1"), "evil.test")
      }))
  }

  it.effect("bytes after a ClientHello wait for the answer, and pass if it asks for none", () =>
    Effect.gen(function*() {
      const reply = new FirstReply()
      const sent: Array<string> = []
      const { write } = withJudgement(HOST, {
        write: (bytes) => Effect.sync(() => void sent.push(Buffer.from(bytes).toString("latin1"))),
        end: () => Effect.void
      }, reply)
      const hello = yield* helloOf(HOST)
      yield* write(hello)
      const fiber = yield* Effect.forkChild(write(EARLY_DATA))
      yield* Effect.yieldNow
      assert.lengthOf(sent, 1)
      // A warning, and the beginning of a ServerHello with random bytes of its own.
      for (const byte of [21, 3, 3, 0, 2, 1, 112, 22, 3, 3, 0, 90, 2, 0, 0, 86, 3, 3, 1]) reply.see(Buffer.from([byte]))
      yield* Fiber.join(fiber)
      yield* write(yield* helloOf("evil.test"))
      assert.lengthOf(sent, 3)
    }))
})
