import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as net from "node:net"
import * as tls from "node:tls"
import { makeTestAuthority } from "../../../../support/network/certificates.ts"
import {
  curl,
  HOST,
  type Intercepted,
  listenHttps,
  makeIdentity,
  makeIntercepted,
  PLACEHOLDER,
  speak,
  VALUE
} from "./intercepted.ts"

const setUp = (seen: Array<string> = []) =>
  Effect.gen(function*() {
    const identity = yield* makeIdentity
    const upstream = yield* listenHttps(identity, (request, response) => {
      seen.push(`${request.method} ${request.url}`)
      request.resume().on("end", () => response.end(`<${request.url}>`))
    })
    return yield* makeIntercepted({ identity, upstream })
  })

/** The bytes that a server sends to a client that speaks no TLS of its own making. */
const answerTo = ({ port }: Intercepted, bytes: string | Buffer) =>
  Effect.callback<Buffer>((resume) => {
    const chunks: Array<Buffer> = []
    const socket = net.connect({ host: "127.0.0.1", port })
    socket.on("error", () => {}).on("data", (chunk) => chunks.push(chunk))
    socket.once("close", () => resume(Effect.succeed(Buffer.concat(chunks))))
    socket.end(bytes)
  })

const request = (...lines: ReadonlyArray<string>) => ["POST /first HTTP/1.1", `Host: ${HOST}`, ...lines].join("\r\n")
const SECOND = `GET /smuggled HTTP/1.1\r\nHost: ${HOST}\r\n\r\n`

describe("a hostile guest of an intercepted connection", () => {
  const smuggled: ReadonlyArray<readonly [title: string, bytes: string]> = [
    ["a length and a coding", request("Content-Length: 6", "Transfer-Encoding: chunked", "", `0\r\n\r\n${SECOND}`)],
    ["two lengths", request("Content-Length: 0", `Content-Length: ${SECOND.length}`, "", SECOND)],
    ["a length with a sign", request("Content-Length: +0", "", SECOND)],
    ["an unknown last coding", request("Transfer-Encoding: chunked, identity", "", `0\r\n\r\n${SECOND}`)],
    ["a space before the colon", request("Content-Length : 0", "", SECOND)],
    ["a folded header", request("X-Key: a", " Transfer-Encoding: chunked", "", SECOND)],
    ["a NUL in a header", request("X-Key: a\0b", "", SECOND)],
    ["a bare CR in a header", request("X-Key: a\rTransfer-Encoding: chunked", "", SECOND)],
    ["a chunk size that is no number", request("Transfer-Encoding: chunked", "", `0x1\r\n${SECOND}`)],
    [
      "an upgrade with a body",
      request("Connection: Upgrade", "Upgrade: h2c", `Content-Length: ${SECOND.length}`, "", SECOND)
    ],
    ["two Host headers", request("Host: evil.test", "Content-Length: 0", "", "")],
    ["a target of another host", `GET http://evil.test/ HTTP/1.1\r\nHost: ${HOST}\r\n\r\n`],
    ["a tunnel", `CONNECT evil.test:443 HTTP/1.1\r\nHost: ${HOST}\r\n\r\n`],
    ["no HTTP", "\0\x01\x02garbage\r\n\r\n"]
  ]
  for (const [title, bytes] of smuggled) {
    it.live(`a request with ${title} ends the connection, and no second request passes`, () =>
      Effect.gen(function*() {
        const seen: Array<string> = []
        const guest = yield* setUp(seen)
        const answer = yield* speak(guest, bytes)
        assert.notInclude(answer, "200 OK")
        assert.notInclude(seen.join(), "smuggled")
        assert.include((yield* curl(guest, "/alive")).stdout, "</alive>")
      }))
  }

  for (const upgrade of ["", "Connection: Upgrade\r\nUpgrade: websocket\r\n"]) {
    const kind = upgrade === "" ? "a request" : "an upgrade"
    it.live(`${kind} that names trailers and has no chunks is refused, and the dial process goes on`, () =>
      Effect.gen(function*() {
        const guest = yield* setUp()
        const answer = yield* speak(guest, `GET / HTTP/1.1\r\nHost: ${HOST}\r\nTrailer: X\r\n${upgrade}\r\n`)
        assert.match(answer, /^HTTP\/1.1 400 /)
        assert.deepStrictEqual(guest.denials, [`the request to ${HOST} has contradictory headers`])
      }))
  }

  it.live("a header over 64 KiB is refused", () =>
    Effect.gen(function*() {
      const guest = yield* setUp()
      assert.match(yield* speak(guest, request(`X-Key: ${"a".repeat(70_000)}`, "", "")), / 431 /)
    }))

  it.live("a request that repeats the placeholder until the values are over 64 KiB is refused", () =>
    Effect.gen(function*() {
      const identity = yield* makeIdentity
      const seen: Array<string> = []
      const upstream = yield* listenHttps(identity, (incoming) => void seen.push(incoming.url!))
      const guest = yield* makeIntercepted({ identity, upstream, value: "v".repeat(16_384) })
      assert.match(yield* speak(guest, request(`X-Key: ${`${PLACEHOLDER} `.repeat(5)}`, "", "")), / 431 /)
      assert.deepStrictEqual(seen, [])
    }))

  it.live("heads of a guest that are under way over 8 MiB end a connection", () =>
    Effect.gen(function*() {
      const identity = yield* makeIdentity
      const upstream = yield* listenHttps(identity, () => {})
      const guest = yield* makeIntercepted({ identity, upstream })
      const heads = `GET / HTTP/1.1\r\nHost: ${HOST}\r\nX-Key: ${"a".repeat(60_000)}\r\n\r\n`.repeat(80)
      // One connection has 4.6 MiB.
      assert.notInclude(yield* Effect.raceFirst(speak(guest, heads), speak(guest, heads)), "200 OK")
    }))

  it.live("more than 100 requests at once end the connection", () =>
    Effect.gen(function*() {
      const identity = yield* makeIdentity
      const upstream = yield* listenHttps(identity, () => {})
      const guest = yield* makeIntercepted({ identity, upstream })
      const answer = yield* speak(guest, `GET / HTTP/1.1\r\nHost: ${HOST}\r\n\r\n`.repeat(150))
      assert.notInclude(answer, "200 OK")
    }))

  it.live("a TLS server name of another host gets an alert, and its reason is told", () =>
    Effect.gen(function*() {
      const guest = yield* setUp()
      assert.match(yield* speak(guest, SECOND, { servername: "evil.test" }), /<.*UNRECOGNIZED_NAME.*>/)
      assert.match(guest.denials.join(), /"evil.test", and the connection is to server.test/)
    }))

  it.live("a guest that speaks no TLS is refused", () =>
    Effect.gen(function*() {
      const guest = yield* setUp()
      yield* answerTo(guest, SECOND)
      assert.deepStrictEqual(guest.denials, ["the guest does not speak TLS"])
    }))

  it.live("a guest that only speaks another protocol than HTTP is refused", () =>
    Effect.gen(function*() {
      const guest = yield* setUp()
      yield* speak(guest, "", { ALPNProtocols: ["imap"] })
      assert.deepStrictEqual(guest.denials, ["the guest wants no HTTP with server.test"])
    }))

  it.live("bytes that break TLS at any point end one connection alone", () =>
    Effect.gen(function*() {
      const guest = yield* setUp()
      const hello = yield* helloOf
      for (let at = 0; at < hello.length; at += 7) {
        const changed = Buffer.from(hello)
        changed[at]! ^= 0x55
        yield* answerTo(guest, Buffer.concat([changed, Buffer.alloc(64, at)]))
        yield* answerTo(guest, hello.subarray(0, at))
      }
      assert.include((yield* curl(guest, "/alive")).stdout, "</alive>")
    }), 60_000)

  it.live("a guest cannot negotiate TLS again", () =>
    Effect.gen(function*() {
      const guest = yield* setUp()
      const refused = yield* Effect.callback<boolean>((resume) => {
        const socket = tls.connect({
          host: "127.0.0.1",
          port: guest.port,
          ca: guest.ca,
          servername: HOST,
          maxVersion: "TLSv1.2"
        }, () => {
          socket.renegotiate({}, (error) => {
            resume(Effect.succeed(error !== null))
            socket.destroy()
          })
        })
        socket.on("error", () => resume(Effect.succeed(true)))
      })
      assert.isTrue(refused)
    }))

  it.live("a host whose certificate is not trusted gets no request, and the reason is told", () =>
    Effect.gen(function*() {
      const seen: Array<string> = []
      const identity = yield* makeIdentity
      const trusted = yield* Effect.promise(makeTestAuthority)
      const upstream = yield* listenHttps(identity, (incoming) => void seen.push(incoming.url!))
      const guest = yield* makeIntercepted({ identity, upstream, trusted })
      assert.strictEqual((yield* curl(guest, "/", "-H", `X-Key: ${PLACEHOLDER}`)).status, 35)
      assert.match(guest.denials.join(), /^TLS with server.test failed: [A-Z_]+$/)
      assert.deepStrictEqual(seen, [])
    }))

  it.live("NODE_TLS_REJECT_UNAUTHORIZED of the environment changes no trust", () =>
    Effect.gen(function*() {
      const seen: Array<string> = []
      const identity = yield* makeIdentity
      const trusted = yield* Effect.promise(makeTestAuthority)
      const upstream = yield* listenHttps(identity, (incoming) => void seen.push(incoming.url!))
      const guest = yield* makeIntercepted({ identity, upstream, trusted })
      yield* Effect.acquireRelease(
        Effect.sync(() => (process.env["NODE_TLS_REJECT_UNAUTHORIZED"] = "0")),
        () => Effect.sync(() => delete process.env["NODE_TLS_REJECT_UNAUTHORIZED"])
      )
      assert.strictEqual((yield* curl(guest, "/", "-H", `X-Key: ${PLACEHOLDER}`)).status, 35)
      assert.deepStrictEqual(seen, [])
    }))

  it.live("the value is in no denial", () =>
    Effect.gen(function*() {
      const guest = yield* setUp()
      yield* speak(guest, `GET / HTTP/1.1\r\nHost: evil.test\r\nX-Key: ${PLACEHOLDER}\r\n\r\n`)
      assert.lengthOf(guest.denials, 1)
      assert.notInclude(guest.denials.join(), VALUE)
    }))
})

const helloOf = Effect.scoped(Effect.gen(function*() {
  return yield* Effect.callback<Buffer>((resume) => {
    const server = net.createServer((socket) => {
      socket.on("error", () => {}).once("data", (chunk) => {
        resume(Effect.succeed(chunk))
        socket.destroy()
        server.close()
      })
    }).listen(0, "127.0.0.1", () => {
      const { port } = server.address() as net.AddressInfo
      tls.connect({ host: "127.0.0.1", port, servername: HOST, ALPNProtocols: ["http/1.1"] }).on("error", () => {})
    })
  })
}))
