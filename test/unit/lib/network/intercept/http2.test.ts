import { assert, describe, it } from "@effect/vitest"
import { Effect, type Scope } from "effect"
import * as http2 from "node:http2"
import * as tls from "node:tls"
import {
  curl,
  FOREIGN,
  HOST,
  type Intercepted,
  listenHttp2,
  makeIdentity,
  makeIntercepted,
  PLACEHOLDER,
  speak,
  VALUE
} from "./intercepted.ts"

type OnStream = Parameters<typeof listenHttp2>[1]

const setUp = (onStream: OnStream) =>
  Effect.gen(function*() {
    const identity = yield* makeIdentity
    const upstream = yield* listenHttp2(identity, onStream)
    return yield* makeIntercepted({ identity, upstream })
  })

const session = ({ ca, port }: Intercepted): Effect.Effect<http2.ClientHttp2Session, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.sync(() => {
      const client = http2.connect(`https://${HOST}`, {
        createConnection: () => tls.connect({ host: "127.0.0.1", port, ca, servername: HOST, ALPNProtocols: ["h2"] })
      })
      client.on("error", () => {})
      return client
    }),
    (client) => Effect.sync(() => client.destroy())
  )

interface Answer {
  readonly headers: http2.IncomingHttpHeaders
  readonly body: string
  readonly trailers: http2.IncomingHttpHeaders
  readonly rstCode: number
}

const ask = (
  client: http2.ClientHttp2Session,
  headers: http2.OutgoingHttpHeaders,
  body?: string
): Effect.Effect<Answer> =>
  Effect.callback((resume) => {
    const stream = client.request({ ":path": "/", ":authority": HOST, ...headers }, { endStream: body === undefined })
    const answer = { headers: {} as http2.IncomingHttpHeaders, body: "", trailers: {} as http2.IncomingHttpHeaders }
    stream.on("error", () => {})
    stream.on("response", (given) => (answer.headers = given))
    stream.on("trailers", (given) => (answer.trailers = given))
    stream.on("data", (chunk: Buffer) => (answer.body += chunk.toString("latin1")))
    stream.once("close", () => resume(Effect.succeed({ ...answer, rstCode: stream.rstCode ?? 0 })))
    if (body !== undefined) stream.end(body)
  })

const reply: OnStream = (stream, headers) => {
  stream.respond({ ":status": 200, "x-echo": headers["x-key"] as string })
  stream.end(`${headers[":path"] as string} ${String(headers["x-key"] === VALUE)}`)
}

describe("an intercepted connection of HTTP/2", () => {
  it.live("curl speaks HTTP/2 with a host that does, and a placeholder becomes the value", () =>
    Effect.gen(function*() {
      const guest = yield* setUp(reply)
      const { stdout } = yield* curl(guest, "/p", "-i", "-H", `X-Key: ${PLACEHOLDER}`)
      assert.match(stdout, /^HTTP\/2 200/)
      assert.include(stdout, "/p true")
      assert.include(stdout, `x-echo: ${PLACEHOLDER}`)
    }))

  it.live("a host that knows HTTP/2 alone refuses a guest that does not", () =>
    Effect.gen(function*() {
      const guest = yield* setUp(reply)
      assert.notStrictEqual((yield* curl(guest, "/", "--http1.1")).status, 0)
      assert.lengthOf(guest.denials, 1)
    }))

  it.live("requests at once, bodies and trailers pass", () =>
    Effect.gen(function*() {
      const guest = yield* setUp((stream) => {
        stream.respond({ ":status": 200 }, { waitForTrailers: true })
        stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": "0" }))
        stream.pipe(stream)
      })
      const client = yield* session(guest)
      const bodies = Array.from({ length: 50 }, (_, at) => `${at} `.repeat(50_000))
      const answers = yield* Effect.all(bodies.map((body) => ask(client, { ":method": "POST" }, body)), {
        concurrency: 50
      })
      assert.deepStrictEqual(answers.map(({ body }) => body.length), bodies.map(({ length }) => length))
      assert.isTrue(answers.every(({ body }, at) => body === bodies[at]))
      assert.isTrue(answers.every(({ trailers }) => trailers["grpc-status"] === "0"))
    }), 60_000)

  it.live("the placeholder of another host's secret and another authority are denied", () =>
    Effect.gen(function*() {
      const guest = yield* setUp(reply)
      assert.strictEqual(String((yield* ask(yield* session(guest), { "x-key": FOREIGN })).headers[":status"]), "403")
      assert.strictEqual(
        String((yield* ask(yield* session(guest), { ":authority": "evil.test" })).headers[":status"]),
        "421"
      )
      assert.strictEqual(String((yield* ask(yield* session(guest), { host: "evil.test" })).headers[":status"]), "421")
      assert.lengthOf(guest.denials, 3)
    }))

  it.live("a stream that the host resets is reset for the guest with the same code", () =>
    Effect.gen(function*() {
      const guest = yield* setUp((stream) => stream.close(http2.constants.NGHTTP2_ENHANCE_YOUR_CALM))
      const client = yield* session(guest)
      assert.strictEqual((yield* ask(client, {})).rstCode, http2.constants.NGHTTP2_ENHANCE_YOUR_CALM)
    }))

  it.live("a stream that the guest resets is reset for the host", () =>
    Effect.gen(function*() {
      let reset: ((code: number) => void) | undefined
      const code = new Promise<number>((resolve) => (reset = resolve))
      const guest = yield* setUp((stream) => {
        stream.once("close", () => reset?.(stream.rstCode))
        stream.respond({ ":status": 200 })
        stream.write("begin")
      })
      const stream = (yield* session(guest)).request({ ":path": "/", ":authority": HOST })
      stream.on("error", () => {}).once("data", () => stream.close(http2.constants.NGHTTP2_CANCEL))
      assert.strictEqual(yield* Effect.promise(() => code), http2.constants.NGHTTP2_CANCEL)
    }))

  const frame = (type: number, flags: number, stream: number, payload: Buffer) => {
    const head = Buffer.alloc(9)
    head.writeUIntBE(payload.length, 0, 3)
    head.writeUInt8(type, 3)
    head.writeUInt8(flags, 4)
    head.writeUInt32BE(stream, 5)
    return Buffer.concat([head, payload])
  }
  const preface = Buffer.concat([Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), frame(4, 0, 0, Buffer.alloc(0))])
  /** GET https://server.test/ in HPACK: three fields of the static table, and a literal authority. */
  const fields = Buffer.concat([Buffer.from([0x82, 0x87, 0x84, 0x41, HOST.length]), Buffer.from(HOST)])
  const DATA = 0, HEADERS = 1, RST_STREAM = 3, CONTINUATION = 9

  it.live("trailers that Node does not send reset one stream alone", () =>
    Effect.gen(function*() {
      const guest = yield* setUp(reply)
      const name = "http2-settings"
      const trailers = Buffer.concat([Buffer.from([0, name.length]), Buffer.from(name), Buffer.from([1, 0x78])])
      const request = [
        frame(HEADERS, 4, 1, fields),
        frame(DATA, 0, 1, Buffer.from("x")),
        frame(HEADERS, 5, 1, trailers)
      ]
      const reset = frame(RST_STREAM, 0, 1, Buffer.from([0, 0, 0, http2.constants.NGHTTP2_INTERNAL_ERROR]))
      const answered = Effect.callback<void>((resume) => {
        const { ca, port } = guest
        const socket = tls.connect({ host: "127.0.0.1", port, ca, servername: HOST, ALPNProtocols: ["h2"] })
        let answer = Buffer.alloc(0)
        socket.on("error", () => {}).on("data", (chunk: Buffer) => {
          answer = Buffer.concat([answer, chunk])
          if (!answer.includes(reset)) return
          socket.destroy()
          resume(Effect.void)
        })
        socket.write(Buffer.concat([preface, ...request]))
      })
      yield* answered
      assert.include((yield* curl(guest, "/alive", "-H", `X-Key: ${PLACEHOLDER}`)).stdout, "/alive true")
    }))

  const floods: ReadonlyArray<readonly [title: string, bytes: () => Buffer]> = [
    ["resets each of its streams at once", () =>
      Buffer.concat(
        Array.from({ length: 20_000 }, (_, at) => [
          frame(HEADERS, 5, 2 * at + 1, fields),
          frame(RST_STREAM, 0, 2 * at + 1, Buffer.from([0, 0, 0, 8]))
        ]).flat()
      )],
    ["never ends its headers", () =>
      Buffer.concat([
        frame(HEADERS, 0, 1, fields),
        ...Array.from({ length: 2_000 }, () =>
          frame(
            CONTINUATION,
            0,
            1,
            Buffer.concat([Buffer.from([0x40, 1, 0x61, 0x7f, 0x81, 0x7c]), Buffer.alloc(16_000, 0x61)])
          ))
      ])],
    [
      "sends settings without end",
      () => Buffer.concat(Array.from({ length: 100_000 }, () => frame(4, 0, 0, Buffer.from([0, 4, 0, 0, 0xff, 0xff]))))
    ]
  ]
  for (const [title, bytes] of floods) {
    it.live(`a guest that ${title} loses its connection`, () =>
      Effect.gen(function*() {
        const guest = yield* setUp(reply)
        yield* speak(guest, Buffer.concat([preface, bytes()]), { ALPNProtocols: ["h2"] })
        assert.include((yield* curl(guest, "/alive", "-H", `X-Key: ${PLACEHOLDER}`)).stdout, "/alive true")
      }), 30_000)
  }
})
