import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { createHash } from "node:crypto"
import type * as http from "node:http"
import type * as net from "node:net"
import * as tls from "node:tls"
import {
  curl,
  FOREIGN,
  HOST,
  listenHttps,
  makeIdentity,
  makeIntercepted,
  PLACEHOLDER,
  speak,
  VALUE
} from "./intercepted.ts"

/** What a body has in place of the value. */
const MASK = "*".repeat(VALUE.length)

/** Headers that the server saw, of each request: an answer shows no value. */
const seen: Array<ReadonlyArray<string>> = []

/** Answers with the request as the server saw it. */
const echo: http.RequestListener = (request, response) => {
  seen.push(request.rawHeaders)
  const hash = createHash("sha256")
  let bytes = 0
  request.on("data", (chunk: Buffer) => {
    hash.update(chunk)
    bytes += chunk.length
  })
  request.on("end", () =>
    response.end(JSON.stringify({
      method: request.method,
      url: request.url,
      headers: request.rawHeaders,
      bytes,
      sha256: hash.digest("hex"),
      trailers: request.rawTrailers
    })))
}

const setUp = (handler: http.RequestListener = echo, more: { readonly header?: string } = {}) =>
  Effect.gen(function*() {
    const identity = yield* makeIdentity
    const upstream = yield* listenHttps(identity, handler)
    return yield* makeIntercepted({ identity, upstream, ...more })
  })

/** Values of a header in the newest request. */
const valueOf = (name: string) => {
  const headers = seen.at(-1) ?? []
  return headers.flatMap((one, at) => at % 2 === 0 && one.toLowerCase() === name ? [headers[at + 1]] : [])
}

const head = (...lines: ReadonlyArray<string>) => [...lines, "", ""].join("\r\n")

describe("an intercepted connection of HTTP/1.1", () => {
  it.live.each(["end", "destroy"] as const)(
    "the guest's idle connection ends after the server's %s of its own",
    (way) =>
      Effect.gen(function*() {
        const guest = yield* setUp((request, response) => {
          request.resume()
          response.once("finish", () => setImmediate(() => request.socket[way]()))
          response.end("answered")
        })
        // Waits for the end of the connection.
        assert.include(yield* speak(guest, head("GET / HTTP/1.1", `Host: ${HOST}`)), "answered")
      })
  )

  it.live("a placeholder in a header becomes the value, and other headers stay as they are", () =>
    Effect.gen(function*() {
      const guest = yield* setUp()
      const { stdout } = yield* curl(
        guest,
        `/a?b=${PLACEHOLDER}`,
        "-H",
        `X-Key: ${PLACEHOLDER}`,
        "-H",
        "X-Odd:  a  b",
        "-A",
        ""
      )
      assert.deepStrictEqual(valueOf("x-key"), [VALUE])
      assert.deepStrictEqual(valueOf("x-odd"), ["a  b"])
      assert.strictEqual(JSON.parse(stdout).url, `/a?b=${PLACEHOLDER}`)
    }))

  it.live("a placeholder in Basic credentials becomes the value", () =>
    Effect.gen(function*() {
      const guest = yield* setUp()
      yield* curl(guest, "/", "-u", `user:${PLACEHOLDER}`)
      assert.deepStrictEqual(valueOf("authorization"), [
        `Basic ${Buffer.from(`user:${VALUE}`).toString("base64")}`
      ])
    }))

  it.live("a secret for one header stays a placeholder in the others", () =>
    Effect.gen(function*() {
      const guest = yield* setUp(echo, { header: "authorization" })
      yield* curl(
        guest,
        "/",
        "-H",
        `X-Key: ${PLACEHOLDER}`,
        "-H",
        `Authorization: Bearer ${PLACEHOLDER}`
      )
      assert.deepStrictEqual(valueOf("x-key"), [PLACEHOLDER])
      assert.deepStrictEqual(valueOf("authorization"), [`Bearer ${VALUE}`])
    }))

  it.live("a placeholder in a body stays a placeholder", () =>
    Effect.gen(function*() {
      const guest = yield* setUp((request, response) => request.pipe(response))
      assert.strictEqual((yield* curl(guest, "/", "--data", `key=${PLACEHOLDER}`)).stdout, `key=${PLACEHOLDER}`)
    }))

  it.live("a value that the server puts into a header of its answer becomes the placeholder", () =>
    Effect.gen(function*() {
      const guest = yield* setUp((request, response) =>
        response.writeHead(200, { "X-Echo": request.headers["x-key"] as string }).end()
      )
      const { stdout } = yield* curl(guest, "/", "-i", "-H", `X-Key: ${PLACEHOLDER}`)
      assert.include(stdout, `X-Echo: ${PLACEHOLDER}`)
      assert.notInclude(stdout, VALUE)
    }))

  it.live("the placeholder of another host's secret is denied in a header, in Basic credentials and in a target", () =>
    Effect.gen(function*() {
      const guest = yield* setUp()
      const attempts = [
        ["/", "-H", `X-Key: ${FOREIGN}`],
        ["/", "-u", `user:${FOREIGN}`],
        [`/${FOREIGN}`]
      ] as const
      for (const [path, ...args] of attempts) {
        const { stdout } = yield* curl(guest, path, ...args, "-w", "%{http_code}")
        assert.match(stdout, /placeholder of the secret OTHER.*\n403$/)
      }
      assert.lengthOf(guest.denials, 3)
    }))

  it.live("a request that names another host is denied", () =>
    Effect.gen(function*() {
      const guest = yield* setUp()
      const { stdout } = yield* curl(
        guest,
        "/",
        "-H",
        "Host: evil.test",
        "-H",
        `X-Key: ${PLACEHOLDER}`,
        "-w",
        "%{http_code}"
      )
      assert.match(stdout, /421$/)
      assert.lengthOf(guest.denials, 1)
    }))

  it.live(
    "a body of 32 MiB passes in both directions, with a length and in chunks",
    () =>
      Effect.gen(function*() {
        const content = Buffer.alloc(32 << 20, "0123456789abcdef")
        const guest = yield* setUp((request, response) =>
          request.url === "/down" ? response.end(content) : echo(request, response)
        )
        const { writeFileSync, readFileSync } = yield* Effect.promise(() => import("node:fs"))
        const file = `${guest.folder}/body`
        writeFileSync(file, content)
        const sha256 = createHash("sha256").update(content).digest("hex")
        for (const args of [[], ["-H", "Transfer-Encoding: chunked"]]) {
          const { stdout } = yield* curl(guest, "/up", "--data-binary", `@${file}`, ...args)
          assert.strictEqual(JSON.parse(stdout).sha256, sha256)
        }
        yield* curl(guest, "/down", "-o", `${file}.down`)
        assert.isTrue(readFileSync(`${file}.down`).equals(content))
      }),
    60_000
  )

  it.live("requests that a guest sends at once are answered in their order on one connection", () =>
    Effect.gen(function*() {
      const ports = new Set<number | undefined>()
      const guest = yield* setUp((request, response) => {
        ports.add(request.socket.remotePort)
        response.end(`<${request.url}:${request.headers["x-key"] === VALUE}>`)
      })
      const one = (path: string, last = false) =>
        head(`GET ${path} HTTP/1.1`, `Host: ${HOST}`, `X-Key: ${PLACEHOLDER}`, ...(last ? ["Connection: close"] : []))
      const answer = yield* speak(guest, one("/1") + one("/2") + one("/3", true))
      assert.deepStrictEqual(answer.match(/<.*?>/g), ["</1:true>", "</2:true>", "</3:true>"])
      assert.strictEqual(ports.size, 1)
    }))

  it.live("a guest that waits for 100 Continue gets the server's own", () =>
    Effect.gen(function*() {
      const guest = yield* setUp()
      const { stderr, stdout } = yield* curl(guest, "/", "-v", "-H", "Expect: 100-continue", "--data", "x".repeat(2000))
      assert.include(stderr, "100 Continue")
      assert.strictEqual(JSON.parse(stdout).bytes, 2000)
    }))

  it.live("trailers pass in both directions", () =>
    Effect.gen(function*() {
      const guest = yield* setUp((request, response) => {
        request.resume().on("end", () => {
          response.writeHead(200, { Trailer: "X-Down" })
          response.write(JSON.stringify(request.trailers))
          response.addTrailers({ "X-Down": "late" })
          response.end()
        })
      })
      const answer = yield* speak(
        guest,
        head("POST / HTTP/1.1", `Host: ${HOST}`, "Transfer-Encoding: chunked", "Connection: close") +
          "3\r\nabc\r\n0\r\nX-Up: late\r\n\r\n"
      )
      assert.include(answer, `{"x-up":"late"}`)
      assert.include(answer, "X-Down: late")
    }))

  it.live("an answer that the server cuts is cut for the guest", () =>
    Effect.gen(function*() {
      const guest = yield* setUp((_, response) => {
        response.writeHead(200, { "Content-Length": "100" })
        response.write("half")
        setImmediate(() => response.destroy())
      })
      assert.include([18, 56], (yield* curl(guest, "/")).status)
    }))

  it.live("a WebSocket's handshake gets the value, and its bytes pass without the value", () =>
    Effect.gen(function*() {
      const identity = yield* makeIdentity
      const upstream = yield* listenHttps(identity, echo, (request, socket: net.Socket) => {
        socket.write(head("HTTP/1.1 101 Switching Protocols", "Connection: Upgrade", "Upgrade: websocket"))
        socket.write(`key=${request.headers["x-key"]};`)
        socket.pipe(socket)
      })
      const guest = yield* makeIntercepted({ identity, upstream })
      const answer = yield* Effect.callback<string>((resume) => {
        let text = ""
        const socket = tls.connect({ host: "127.0.0.1", port: guest.port, ca: guest.ca, servername: HOST })
        socket.write(head(
          "GET /ws HTTP/1.1",
          `Host: ${HOST}`,
          "Connection: Upgrade",
          "Upgrade: websocket",
          `X-Key: ${PLACEHOLDER}`
        ))
        socket.on("data", (chunk) => {
          text += chunk.toString("latin1")
          if (text.endsWith(`key=${MASK};`)) socket.write(Buffer.from(`\0\x81${PLACEHOLDER}!`, "latin1"))
          if (text.endsWith("!")) socket.end()
        })
        socket.once("close", () => resume(Effect.succeed(text)))
      })
      assert.match(answer, /^HTTP\/1.1 101 /)
      assert.isTrue(answer.endsWith(`key=${MASK};\0\x81${PLACEHOLDER}!`))
    }))

  it.live("a server that refuses another protocol answers the guest", () =>
    Effect.gen(function*() {
      const guest = yield* setUp()
      yield* curl(
        guest,
        "/",
        "-H",
        "Connection: Upgrade",
        "-H",
        "Upgrade: thing",
        "-H",
        `X-Key: ${PLACEHOLDER}`
      )
      assert.deepStrictEqual(valueOf("x-key"), [VALUE])
    }))
})
