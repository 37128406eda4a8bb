import { assert, describe, it } from "@effect/vitest"
import { type Cause, Deferred, Effect, Fiber, Queue, type Scope, Stream } from "effect"
import { writeFileSync } from "node:fs"
import * as net from "node:net"
import { join } from "node:path"
import * as tls from "node:tls"
import {
  type Counts,
  type GuestEnd,
  refusedCertificate,
  splice,
  type SpliceOptions
} from "../../../../src/lib/network/splice.ts"
import { until } from "../../../support/until.ts"
import { HOST, listen, makeIdentity, run } from "./intercept/intercepted.ts"
import { temporary } from "./package-cache/package-cache.ts"

/** A guest whose program is the test. */
interface FakeGuest {
  readonly end: GuestEnd<Error>
  readonly send: (bytes: Uint8Array | string) => Effect.Effect<void>
  readonly finish: Effect.Effect<void>
  readonly reset: Effect.Effect<void>
  readonly got: () => string
  readonly gotBytes: () => number
  readonly sawEnd: () => boolean
  /** Makes the guest's program read nothing, until it is undone. */
  readonly stopReading: Effect.Effect<Effect.Effect<void>>
}

const makeGuest = Effect.gen(function*() {
  const sent = yield* Queue.unbounded<Uint8Array, Error | Cause.Done>()
  const resetBy = yield* Deferred.make<never, Error>()
  const ended = { byGuest: yield* Deferred.make<void>(), byHost: yield* Deferred.make<void>() }
  const chunks: Array<Uint8Array> = []
  let isEnded = false
  let reading: Deferred.Deferred<void> | undefined
  const failure = new Error("ECONNRESET")
  const guest: FakeGuest = {
    end: {
      forEachReceived: (f, take) =>
        Stream.runForEach(Stream.fromQueue(sent), (bytes) => take?.(bytes) === true ? Effect.void : f(bytes)),
      write: (bytes) =>
        Effect.andThen(
          Effect.suspend(() => reading === undefined ? Effect.void : Deferred.await(reading)),
          Effect.sync(() => void chunks.push(Buffer.from(bytes)))
        ),
      end: Effect.suspend(() => {
        isEnded = true
        return Effect.asVoid(Deferred.succeed(ended.byHost, undefined))
      }),
      closed: Effect.raceFirst(
        Effect.andThen(Deferred.await(ended.byGuest), Deferred.await(ended.byHost)),
        Deferred.await(resetBy)
      )
    },
    send: (bytes) => Effect.asVoid(Queue.offer(sent, Buffer.from(bytes as string))),
    finish: Effect.andThen(Deferred.succeed(ended.byGuest, undefined), Effect.asVoid(Queue.end(sent))),
    reset: Effect.andThen(Deferred.fail(resetBy, failure), Effect.asVoid(Queue.fail(sent, failure))),
    got: () => Buffer.concat(chunks).toString(),
    gotBytes: () => chunks.reduce((sum, { length }) => sum + length, 0),
    sawEnd: () => isEnded,
    stopReading: Effect.map(Deferred.make<void>(), (deferred) => {
      reading = deferred
      return Effect.asVoid(Deferred.succeed(deferred, undefined))
    })
  }
  return guest
})

/** A connection on loopback: the splice's socket, and the server's. */
const makeConnection: Effect.Effect<{ readonly socket: net.Socket; readonly server: net.Socket }, never, Scope.Scope> =
  Effect.acquireRelease(
    Effect.callback((resume) => {
      const listener = net.createServer({ allowHalfOpen: true }, (server) => {
        listener.close()
        server.on("error", () => {})
        resume(Effect.succeed({ socket, server }))
      }).listen(0, "127.0.0.1", () => socket.connect((listener.address() as net.AddressInfo).port, "127.0.0.1"))
      const socket = new net.Socket({ allowHalfOpen: true })
      socket.pause()
    }),
    ({ server, socket }) => Effect.sync(() => [server, socket].forEach((one) => one.destroy()))
  )

const event = (socket: net.Socket, name: string) =>
  Effect.callback<unknown>((resume) => void socket.once(name, (value: unknown) => resume(Effect.succeed(value))))

const textOf = (socket: net.Socket) => {
  const chunks: Array<Buffer> = []
  socket.on("data", (chunk: Buffer) => chunks.push(chunk))
  return () => Buffer.concat(chunks).toString()
}

const setUp = (options: Pick<SpliceOptions<Error>, "bufferBytes" | "expectedName" | "forbidden"> = {}) =>
  Effect.gen(function*() {
    const guest = yield* makeGuest
    const connection = yield* makeConnection
    const counts: Counts = { sentBytes: 0, receivedBytes: 0 }
    const fiber = yield* Effect.forkScoped(
      splice({ guest: guest.end, socket: connection.socket, counts, ...options })
    )
    return { guest, counts, fiber, ...connection }
  })

describe("a spliced connection", () => {
  it.live("bytes go both ways, are counted, and each side ends by itself", () =>
    Effect.gen(function*() {
      const { counts, fiber, guest, server } = yield* setUp()
      const text = textOf(server)
      server.write("welcome\n")
      yield* until(() => guest.got() === "welcome\n")
      yield* guest.send("hello")
      yield* guest.finish
      yield* event(server, "end")
      assert.strictEqual(text(), "hello")
      assert.isFalse(guest.sawEnd())
      server.end("after your end")
      assert.deepStrictEqual(yield* Fiber.join(fiber), { _tag: "Closed" })
      assert.strictEqual(guest.got(), "welcome\nafter your end")
      assert.isTrue(guest.sawEnd())
      assert.deepStrictEqual(counts, { sentBytes: 5, receivedBytes: 22 })
    }))

  it.live("a server that ends first still gets what the guest sends", () =>
    Effect.gen(function*() {
      const { fiber, guest, server } = yield* setUp()
      const text = textOf(server)
      server.end("bye")
      yield* until(guest.sawEnd)
      yield* guest.send("late")
      yield* guest.finish
      yield* event(server, "end")
      assert.strictEqual(text(), "late")
      assert.deepStrictEqual(yield* Fiber.join(fiber), { _tag: "Closed" })
    }))

  it.live("a forbidden text ends the splice before its last byte is sent", () =>
    Effect.gen(function*() {
      const { fiber, guest, server } = yield* setUp({ forbidden: [{ text: "placeholder", detail: "not here" }] })
      const text = textOf(server)
      yield* guest.send("key=place")
      yield* until(() => text() === "key=place")
      yield* guest.send("holder&more")
      assert.deepStrictEqual(yield* Fiber.join(fiber), { _tag: "Denied", detail: "not here" })
      assert.strictEqual(text(), "key=place")
    }))

  it.live("a reset by the server ends the splice as one, and not as an end", () =>
    Effect.gen(function*() {
      const { fiber, guest, server } = yield* setUp()
      server.write("x")
      yield* until(() => guest.got() === "x")
      server.resetAndDestroy()
      assert.deepStrictEqual(yield* Fiber.join(fiber), { _tag: "ResetByHost", detail: "ECONNRESET" })
      assert.isFalse(guest.sawEnd())
    }))

  it.live("a reset by the guest, also after its end, resets the socket", () =>
    Effect.gen(function*() {
      for (const finishes of [false, true]) {
        const { fiber, guest, server } = yield* setUp()
        server.resume()
        if (finishes) {
          yield* guest.finish
          yield* event(server, "end")
        }
        let code: string | undefined
        server.on("error", (error: NodeJS.ErrnoException) => (code = error.code))
        yield* guest.reset
        assert.deepStrictEqual(yield* Fiber.join(fiber), { _tag: "ResetByGuest", detail: "ECONNRESET" })
        // After an end, only a write shows the reset.
        yield* until(() => {
          if (finishes) server.write("x")
          return code !== undefined
        })
        assert.include(["ECONNRESET", "EPIPE"], code)
      }
    }))

  it.live("an interruption resets the socket", () =>
    Effect.gen(function*() {
      const { fiber, server } = yield* setUp()
      server.resume()
      const failed = yield* Effect.forkScoped(event(server, "error"))
      yield* Effect.yieldNow
      yield* Fiber.interrupt(fiber)
      assert.strictEqual((yield* Fiber.join(failed) as Effect.Effect<NodeJS.ErrnoException>).code, "ECONNRESET")
    }))

  it.live("a guest that reads nothing stops the server, within bounds, and loses nothing", () =>
    Effect.gen(function*() {
      const { counts, guest, server, socket } = yield* setUp()
      const goOn = yield* guest.stopReading
      const total = 64 * 1_048_576
      const piece = Buffer.alloc(1_048_576, 1)
      let written = 0
      const write = () => {
        while (written < total) {
          written += piece.length
          if (!server.write(piece)) return void server.once("drain", write)
        }
        server.end()
      }
      write()
      // Kernel buffers are full once the server's queue no longer shrinks.
      yield* until(() => socket.isPaused())
      assert.isBelow(socket.bytesRead, 16 * 1_048_576)
      assert.isBelow(counts.receivedBytes, 1_048_576)
      yield* goOn
      yield* until(guest.sawEnd)
      assert.strictEqual(guest.gotBytes(), total)
    }))

  it.live("a small buffer holds less of both sides", () =>
    Effect.gen(function*() {
      const held = (bufferBytes: number) =>
        Effect.gen(function*() {
          const { guest, server, socket } = yield* setUp({ bufferBytes })
          yield* Effect.asVoid(guest.stopReading)
          server.write(Buffer.alloc(32 * 1_048_576))
          // It is also paused before the splice begins to read.
          yield* until(() => socket.isPaused() && socket.bytesRead > bufferBytes)
          for (let at = 0; at < 64; at++) yield* guest.send(Buffer.alloc(1_048_576))
          yield* until(() => socket.writableNeedDrain)
          const { bytesRead, writableLength } = socket
          return bytesRead + writableLength
        })
      assert.isBelow(yield* held(16_384), 4 * 1_048_576)
      const small = yield* held(16_384)
      assert.isAbove(yield* held(8 * 1_048_576), small + 8 * 1_048_576)
    }))

  it.live("a server that reads nothing stops the guest", () =>
    Effect.gen(function*() {
      const { counts, fiber, guest, server, socket } = yield* setUp()
      const piece = Buffer.alloc(65_536, 1)
      for (let at = 0; at < 1_024; at++) yield* guest.send(piece)
      yield* guest.finish
      yield* until(() => socket.writableNeedDrain)
      assert.isBelow(counts.sentBytes, 32 * 1_048_576)
      let got = 0
      server.on("data", (bytes: Buffer) => (got += bytes.length)).on("end", () => server.end())
      yield* Fiber.join(fiber)
      assert.strictEqual(got, 64 * 1_048_576)
    }))

  it.live("an HTTP request that comes byte by byte goes on once its Host is known", () =>
    Effect.gen(function*() {
      const { fiber, guest, server } = yield* setUp({ expectedName: "example.com" })
      const text = textOf(server)
      const head = "POST / HTTP/1.1\r\nHost: example.com\r\nContent-Length: 4\r\n\r\n"
      for (const byte of head.slice(0, -1)) yield* guest.send(byte)
      server.write("early")
      yield* until(() => guest.got() === "early")
      assert.strictEqual(text(), "")
      yield* guest.send("\n")
      yield* guest.send("body")
      yield* guest.finish
      yield* event(server, "end")
      assert.strictEqual(text(), `${head}body`)
      server.end()
      yield* Fiber.join(fiber)
    }))

  it.live("the first bytes of a request for another host reach no server", () =>
    Effect.gen(function*() {
      const { counts, fiber, guest, server } = yield* setUp({ expectedName: "example.com" })
      const text = textOf(server)
      const failed = yield* Effect.forkScoped(event(server, "error"))
      yield* Effect.yieldNow
      yield* guest.send("GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n")
      assert.deepStrictEqual(yield* Fiber.join(fiber), {
        _tag: "Denied",
        detail: "the HTTP Host is \"evil.example\", and the connection is to example.com"
      })
      yield* Fiber.join(failed)
      assert.strictEqual(text(), "")
      assert.strictEqual(counts.sentBytes, 0)
    }))

  it.live("a request for another host whose head ends with the connection reaches no server", () =>
    Effect.gen(function*() {
      const { counts, fiber, guest } = yield* setUp({ expectedName: "example.com" })
      yield* guest.send("GET / HTTP/1.1\r\nHost: evil.example\r\n")
      yield* guest.finish
      assert.deepStrictEqual(yield* Fiber.join(fiber), {
        _tag: "Denied",
        detail: "the HTTP Host is \"evil.example\", and the connection is to example.com"
      })
      assert.strictEqual(counts.sentBytes, 0)
    }))

  it.live("a client that sends its request in hundreds of pieces is refused", () =>
    Effect.gen(function*() {
      const { fiber, guest } = yield* setUp({ expectedName: "example.com" })
      for (let at = 0; at < 256; at++) yield* guest.send(at === 0 ? "\x16" : "\x03")
      const ended = yield* Fiber.join(fiber)
      assert.strictEqual(ended._tag, "Denied")
    }))

  it.live("other protocols go on, and a client that ends in between is passed on", () =>
    Effect.gen(function*() {
      for (const sent of ["SSH-2.0-x\r\n", "GET", ""]) {
        const { fiber, guest, server } = yield* setUp({ expectedName: "example.com" })
        const text = textOf(server)
        if (sent !== "") yield* guest.send(sent)
        yield* guest.finish
        yield* event(server, "end")
        assert.strictEqual(text(), sent)
        server.end()
        assert.deepStrictEqual(yield* Fiber.join(fiber), { _tag: "Closed" })
      }
    }))

  for (const version of ["TLSv1_2", "TLSv1_3"] as const) {
    it.live(`a guest that does not trust a certificate is told from one that does: ${version}`, () =>
      Effect.gen(function*() {
        const { authority, cert, key } = yield* makeIdentity
        const folder = yield* temporary
        const caFile = join(folder, "ca.pem")
        writeFileSync(caFile, authority.certificate)
        const port = yield* listen(
          tls.createServer({ cert, key }, (socket) => socket.on("error", () => {}).end("hello"))
        )
        const program = [
          "import socket, ssl, sys",
          `context = ssl.create_default_context(cafile=sys.argv[2] or None)`,
          `context.minimum_version = context.maximum_version = ssl.TLSVersion.${version}`,
          "inner = socket.create_connection(('127.0.0.1', int(sys.argv[1])))",
          `with context.wrap_socket(inner, server_hostname='${HOST}') as outer: print(outer.recv(5).decode())`
        ].join("\n")
        const refusedBy = (ca: string) =>
          Effect.gen(function*() {
            const counts: Counts = { sentBytes: 0, receivedBytes: 0 }
            const ended = yield* Deferred.make<void>()
            // The splice's guest is a real client behind a socket.
            const front = yield* listen(net.createServer({ allowHalfOpen: true }, (client) => {
              const socket = net.connect({ port, host: "127.0.0.1", allowHalfOpen: true })
              client.on("error", () => {})
              const guest: GuestEnd<Error> = {
                forEachReceived: (f) =>
                  Stream.runForEach(Stream.fromAsyncIterable(client, (error) => error as Error), f),
                write: (bytes) => Effect.sync(() => void client.write(bytes)),
                end: Effect.sync(() => void client.end()),
                closed: Effect.callback((resume) => void client.once("close", () => resume(Effect.void)))
              }
              Effect.runFork(Effect.andThen(splice({ guest, socket, counts }), Deferred.succeed(ended, undefined)))
            }))
            const { stdout } = yield* run("python3", ["-c", program, String(front), ca], { cwd: folder })
            yield* Deferred.await(ended)
            return { stdout: stdout.trim(), isRefused: refusedCertificate(counts) }
          })
        assert.deepStrictEqual(yield* refusedBy(""), { stdout: "", isRefused: true })
        assert.deepStrictEqual(yield* refusedBy(caFile), { stdout: "hello", isRefused: false })
      }))
  }
})
