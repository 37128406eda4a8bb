import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { execFileSync } from "node:child_process"
import * as http from "node:http"
import * as net from "node:net"
import { Random } from "../../../../support/hostile/random.ts"
import { until } from "../../../../support/until.ts"
import { get, keptFile, makePackageCache, speak } from "./package-cache.ts"

const TARBALL = "/left-pad/-/left-pad-1.0.0.tgz"
const HOST = "Host: cache.test"
const SMUGGLED = "GET /smuggled HTTP/1.1\r\nHost: evil.test\r\n\r\n"
const CHUNKED = `${SMUGGLED.length.toString(16)}\r\n${SMUGGLED}\r\n0\r\n\r\n`
const ANSWER = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

/** A registry that answers after each empty line, and keeps all bytes of each connection. */
const recorder = () => {
  const streams: Array<Array<Buffer>> = []
  const server = net.createServer((socket) => {
    const pieces: Array<Buffer> = []
    streams.push(pieces)
    socket.on("data", (piece) => {
      pieces.push(piece)
      if (piece.toString("latin1").endsWith("\r\n\r\n")) socket.write(ANSWER)
    })
  })
  return { server, streams: () => streams.map((pieces) => Buffer.concat(pieces)) }
}

/** `METHOD target host` of each request that Node's server reads. */
const nodeReads = (bytes: Buffer) =>
  Effect.callback<ReadonlyArray<string>>((resume) => {
    const found: Array<string> = []
    const server = http.createServer((request, response) => {
      found.push(`${request.method} ${request.url} ${request.headers.host}`)
      request.resume()
      response.end()
    })
    server.on("clientError", (_, socket) => {
      found.push("not read")
      socket.destroy()
    })
    server.listen(0, "127.0.0.1", () => {
      const socket = net.connect((server.address() as net.AddressInfo).port, "127.0.0.1", () => socket.end(bytes))
      socket.on("error", () => {}).resume()
      socket.once("close", () => server.close(() => resume(Effect.succeed(found))))
    })
  })

const PYTHON = `
import base64, http.server, io, json, sys
class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def __init__(self, data):
        self.found, self.rfile, self.wfile = [], io.BytesIO(data), io.BytesIO()
        self.close_connection = False
        while not self.close_connection: self.handle_one_request()
    def answer(self):
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        while self.headers.get("Transfer-Encoding") == "chunked":
            size = int(self.rfile.readline(), 16)
            self.rfile.read(size + 2)
            if size == 0: break
        self.found.append(f"{self.command} {self.path} {self.headers['Host']}")
    do_GET = do_HEAD = do_POST = answer
    def send_error(self, *_): self.found.append("not read"); self.close_connection = True
    def log_message(self, *_): pass
print(json.dumps([Handler(base64.b64decode(one)).found for one in json.load(sys.stdin)]))
`

/** The same as Python's http.server reads each stream. */
const pythonReads = (streams: ReadonlyArray<Buffer>): ReadonlyArray<ReadonlyArray<string>> => {
  const input = JSON.stringify(streams.map((bytes) => bytes.toString("base64")))
  return JSON.parse(execFileSync("python3", ["-c", PYTHON], { input, encoding: "utf8" })) as Array<Array<string>>
}

/** Both servers read the same requests in what the registry got, each for the registry itself. Gives their number. */
const assertAgreed = (streams: ReadonlyArray<Buffer>) =>
  Effect.gen(function*() {
    const byPython = pythonReads(streams)
    let count = 0
    for (const [at, bytes] of streams.entries()) {
      const text = JSON.stringify(bytes.toString("latin1"))
      const byNode = yield* nodeReads(bytes)
      assert.deepStrictEqual(byNode, byPython[at], text)
      count += byNode.length
      for (const one of byNode) assert.match(one, /^(?:GET|HEAD|POST) \/[\x21-\x7e]* registry\.npmjs\.org$/, text)
    }
    return count
  })

/** Ends whatever came before, and then the connection. */
const LAST = `${"\r\n".repeat(50)}GET /last HTTP/1.1\r\n${HOST}\r\nConnection: close\r\n\r\n`

describe("a guest that hides a request in another one", () => {
  const framings: ReadonlyArray<readonly [headers: ReadonlyArray<string>, body: string]> = [
    [["Transfer-Encoding: chunked"], CHUNKED],
    [[`Content-Length: ${SMUGGLED.length}`, "Connection: content-length"], SMUGGLED],
    [[`Content-Length: ${SMUGGLED.length}`], SMUGGLED],
    [["Transfer-Encoding: chunked", "Connection: transfer-encoding"], CHUNKED],
    [["Transfer-Encoding: gzip, chunked"], CHUNKED],
    [["Transfer-Encoding: identity"], SMUGGLED]
  ]
  for (const path of ["/x", TARBALL]) {
    for (const [headers, body] of framings) {
      it.live(`GET ${path} with ${headers.join(" and ")} reaches no registry and ends the connection`, () =>
        Effect.gen(function*() {
          const { server, streams } = recorder()
          const cache = yield* makePackageCache({ handler: () => {}, server })
          const answer = yield* speak(cache, [`GET ${path} HTTP/1.1`, HOST, ...headers, "", body].join("\r\n"))
          assert.match(answer, /^HTTP\/1\.1 400 /)
          assert.match(answer, /connection: close/i)
          assert.notInclude(Buffer.concat(streams()).toString(), "smuggled")
        }))
    }
  }

  it.live("a header that the cache does not know goes nowhere", () =>
    Effect.gen(function*() {
      const heads: Array<http.IncomingHttpHeaders> = []
      const cache = yield* makePackageCache({
        handler: ({ headers }, response) => {
          heads.push(headers)
          response.end()
        }
      })
      const headers = {
        "x-forwarded-host": "evil.test",
        "x-original-url": "/evil",
        connection: "close, x-a",
        te: "trailers"
      }
      yield* get(cache, "/-/v1/search?text=a", { headers: { ...headers, "user-agent": "npm/11" } })
      yield* get(cache, TARBALL, { headers: { ...headers, "user-agent": "npm/11" } })
      assert.deepStrictEqual(heads.map((one) => Object.keys(one).sort()), [
        ["connection", "host", "user-agent"],
        ["accept", "accept-encoding", "connection", "host", "user-agent"]
      ])
      // What is kept is the answer to a request that no guest has chosen.
      assert.deepStrictEqual(heads.map((one) => one["user-agent"]), ["npm/11", "pyro-package-cache"])
    }))

  it.live("an answer without a request is dropped", () =>
    Effect.gen(function*() {
      let closed = 0
      const server = net.createServer((socket) => {
        socket.on("data", (bytes) => {
          const path = bytes.toString().split(" ")[1]!
          socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${path.length}\r\n\r\n${path}`)
          socket.on("error", () => {}).once("close", () => (closed += 1))
          // Later than the answer: the connection waits by then.
          setTimeout(() => socket.write("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil"), 20)
        })
      })
      const cache = yield* makePackageCache({ handler: () => {}, server })
      for (const number of [1, 2, 3]) {
        const path = `/left-pad/-/left-pad-${number}.0.0.tgz`
        assert.strictEqual((yield* get(cache, path)).body.toString(), path)
        yield* keptFile(cache, `registry.npmjs.org:80${path} */*`)
        yield* until(() => closed === number)
      }
    }))

  it.live("a connection that carried a guest's request brings no answer that is kept", () =>
    Effect.gen(function*() {
      const { server, streams } = recorder()
      const cache = yield* makePackageCache({ handler: () => {}, server })
      yield* get(cache, "/-/v1/search?text=a")
      yield* get(cache, TARBALL)
      assert.deepStrictEqual(streams().map((bytes) => bytes.toString().split(" ")[1]), ["/-/v1/search?text=a", TARBALL])
    }))

  it.live(
    "whatever a guest sends, Node's and Python's servers read the same requests of the cache",
    () =>
      Effect.gen(function*() {
        const { server, streams } = recorder()
        const cache = yield* makePackageCache({ handler: () => {}, server })
        const random = new Random(38)
        const some = (values: ReadonlyArray<string>) =>
          Array.from({ length: random.chance(0.5) ? 0 : random.between(1, 2) }, () => random.pick(values))
        const lines = [
          ...[HOST, "Host: evil.test", "Connection: close", "Connection: content-length, host", "Expect: 100-continue"],
          ...[
            "Transfer-Encoding: chunked",
            "Transfer-Encoding: xchunked",
            "Transfer-Encoding : chunked",
            "TE: trailers"
          ],
          ...[`Content-Length: ${SMUGGLED.length}`, "Content-Length: 0", "Content-Length: +1", "Content-Length: 5, 5"],
          ...[
            "X: a\r\n folded",
            "Accept: a\tb",
            "Accept: \u00e9",
            "Range: bytes=0-1",
            "Upgrade: h2c",
            "User-Agent: a\x01b"
          ],
          ...["Accept: a\nHost: evil.test", "Accept: a\rContent-Length: 3", "Trailer: Host", "Authorization: Bearer x"]
        ]
        const targets = [
          "/x",
          TARBALL,
          "/left-pad",
          "/-/v1/search?a=%0d%0a",
          "//evil.test/x",
          "/a#b",
          "/a\tb",
          "/\u00e9",
          "http://evil.test/",
          "*"
        ]
        const methods = [
          ...Array<string>(8).fill("GET"),
          "HEAD",
          "HEAD",
          "POST",
          "POST",
          "PUT",
          "get",
          "CONNECT",
          "M-SEARCH"
        ]
        const versions = [...Array<string>(8).fill("HTTP/1.1"), "HTTP/1.0", "HTTP/0.9", "HTTP/2.0", "", "http/1.1"]
        const plain = () => `GET /x?${random.next()} HTTP/1.1\r\n${HOST}\r\n\r\n`
        const odd = () =>
          [
            `${random.pick(methods)} ${
              random.pick([...targets, `/x?${random.next()}`, `/x?${random.next()}`, "/-/npm/v1/audit"])
            } ${random.pick(versions)}`,
            ...(random.chance(0.1) ? [] : [HOST]),
            ...some(lines),
            "",
            random.pick(["", "", SMUGGLED, CHUNKED])
          ].join(random.chance(0.1) ? "\n" : "\r\n")
        yield* Effect.forEach(
          Array.from({ length: 250 }, () =>
            Array.from({ length: random.between(1, 3) }, () => random.chance(0.5) ? plain() : odd()).join("")),
          (bytes) =>
            speak(cache, bytes + LAST, { endsAtAnswer: false }),
          { concurrency: 8 }
        )
        assert.isAbove(yield* assertAgreed(streams().filter(({ length }) => length > 0)), 100)
      }),
    60_000
  )
})
