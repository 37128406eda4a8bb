import { assert, describe, it } from "@effect/vitest"
import { Effect, Result } from "effect"
import * as fc from "fast-check"
import { execFileSync } from "node:child_process"
import { FirstReply, withJudgement } from "../../../../src/lib/network/daemon/connection/judge-first-bytes.ts"

const EVIL = "evil.example"

/** Prints the Host of each request that Python's own server of WSGI takes from some bytes, one line for each line of stdin. */
const PYTHON = `import base64, io, sys
from wsgiref.simple_server import WSGIRequestHandler
class Handler(WSGIRequestHandler):
  def __init__(self, data):
    self.rfile, self.wfile = io.BytesIO(data), io.BytesIO()
    self.client_address, self.requestline, self.request_version, self.command = ("", 0), "", "", ""
  def log_message(self, *args): pass
for line in sys.stdin:
  handler, hosts = Handler(base64.b64decode(line)), []
  while True:
    handler.raw_requestline = handler.rfile.readline(65537)
    if not handler.raw_requestline: break
    if handler.raw_requestline.strip() == b"": continue
    if not handler.parse_request(): break
    hosts.append(str(handler.headers.get("Host")))
    hosts.append(handler.path)
  print(" ".join(hosts).encode("ascii", "replace").decode())
`

const python = (inputs: ReadonlyArray<Buffer>) =>
  execFileSync("python3", ["-c", PYTHON], {
    input: inputs.map((one) => `${one.toString("base64")}\n`).join(""),
    encoding: "utf8",
    maxBuffer: 64 << 20
  }).split("\n").slice(0, inputs.length)

/** What passes of a client's pieces on a connection that is judged by its name. */
const passed = (pieces: ReadonlyArray<Buffer>): Buffer => {
  const sent: Array<Buffer> = []
  const reply = new FirstReply()
  reply.end()
  const { end, write } = withJudgement("example.com", {
    write: (bytes) => Effect.sync(() => void sent.push(Buffer.from(bytes))),
    end: () => Effect.void
  }, reply)
  const work = Effect.andThen(Effect.forEach(pieces, (piece) => write(piece)), Effect.suspend(end))
  Result.getOrElse(Effect.runSync(Effect.result(work)), () => undefined)
  return Buffer.concat(sent)
}

const bytes = (text: string) => Buffer.from(text, "latin1")

const HEADERS = `\r\nHost: ${EVIL}\r\n\r\n`

const written = [
  "GET /x",
  "GET  /x",
  "\tGET /x",
  "G:ET / HTTP/1.1",
  "GET\0 / HTTP/1.1",
  "\0GET / HTTP/1.1",
  "\xef\xbb\xbfGET / HTTP/1.1",
  "\x80GET / HTTP/1.0",
  "\x16GET / HTTP/1.1",
  "\x16\x01GET / HTTP/1.1",
  "\x80!\x01GET / HTTP/1.1",
  "GET\x1c/\x1dHTTP/1.1",
  "GET\xa0/\x85HTTP/1.1",
  "GET / HTTP/1.2",
  "GET / HTTP/01.1",
  "(X) / HTTP/1.1",
  `${"@".repeat(5_000)} / HTTP/1.1`,
  "GET http://evil.example/",
  "SSH-2.0-x / HTTP/1.1"
]

describe("Python's server of WSGI behind the comparison of names", () => {
  it("reads a request for the other host in each of these bytes without the comparison", () => {
    const takes = python(written.map((line) => bytes(line + HEADERS)))
    written.forEach((line, at) => {
      // It refuses a method alone, and takes every other line.
      if (!/\/1\.2|^GET\0|01\.1/.test(line)) assert.include(takes[at], EVIL, JSON.stringify(line))
    })
  })

  it("gets none of them, in one piece and byte by byte", () => {
    const wholes = written.map((line) => bytes(line + HEADERS))
    const all = [
      ...wholes.map((whole) => passed([whole])),
      ...wholes.filter(({ length }) => length < 200).map((whole) =>
        passed(Array.from(whole, (byte) => Buffer.from([byte])))
      )
    ]
    for (const took of python(all)) assert.notInclude(took, EVIL)
  })

  it("gets no request for the other host, whatever the request line is made of", () => {
    const odd = fc.constantFrom(
      ..."\0 \t\v\f\x1c\x1f\x7f\x80\x85\xa0\xff:@/\\\r".split(""),
      "\r\n",
      "\n",
      "\xef\xbb\xbf"
    )
    const words = fc.constantFrom(
      ...[
        "GET",
        "POST",
        "get",
        "X",
        "/",
        "/x",
        "*",
        "HTTP/1.1",
        "HTTP/1.0",
        "HTTP/0.9",
        "http/1.1",
        "http://evil.example/"
      ],
      ...["PRI", "HTTP/2.0", "\x16\x03\x01", "SSH-2.0-x", "Host: example.com", "Content-Length: 3"]
    )
    const line = fc.array(fc.oneof(odd, words, fc.constant(" ")), { minLength: 1, maxLength: 9 }).map((parts) =>
      parts.join("")
    )
    const lines = fc.sample(line, { numRuns: 10_000, seed: 7 })
    const sent = lines.map((one, at) => {
      const whole = bytes(one + HEADERS)
      const cut = at % whole.length
      return passed([whole.subarray(0, cut), whole.subarray(cut)].filter(({ length }) => length > 0))
    })
    const took = python(sent)
    const evil = lines.filter((_, at) => took[at]!.includes(EVIL))
    assert.deepStrictEqual(evil.map((one) => JSON.stringify(one)), [])
    // Without the comparison, the server takes some: the test can fail.
    const taken = python(lines.map((one) => bytes(one + HEADERS))).filter((one) => one.includes(EVIL))
    assert.isAbove(taken.length, 100)
  }, 60_000)
})
