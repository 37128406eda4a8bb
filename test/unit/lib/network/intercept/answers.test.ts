import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import type * as http from "node:http"
import type * as http2 from "node:http2"
import { answerFilter } from "../../../../../src/lib/network/dialer/intercept/answers.ts"
import { judgeRequest } from "../../../../../src/lib/network/dialer/intercept/request.ts"
import {
  curl,
  HOST,
  listenHttp2,
  listenHttps,
  makeIdentity,
  makeIntercepted,
  PLACEHOLDER,
  speak,
  VALUE
} from "./intercepted.ts"

const secret = { name: "TOKEN", placeholder: PLACEHOLDER, value: VALUE, header: undefined }
const filter = answerFilter([secret])

const base64 = (text: string) => Buffer.from(text).toString("base64")

/** What a person with the answer could read: the text, and what base64 in it says. */
const readable = (text: string) =>
  [
    text,
    ...(text.match(/[A-Za-z0-9+/]{8,}/g) ?? []).flatMap((run) =>
      [0, 1, 2, 3].map((at) => Buffer.from(run.slice(at), "base64").toString("latin1"))
    )
  ].join("\n")

/** A body in pieces through the filter. */
const filtered = (pieces: ReadonlyArray<string>) =>
  Effect.promise(async () => {
    const body = filter.body()
    for (const piece of pieces) body.write(piece)
    body.end()
    return Buffer.concat(await body.toArray()).toString("latin1")
  })

const users = ["", "u", "us", "user", "a long name of a user"]

describe("an answer of a host that has a secret", () => {
  for (const user of users) {
    it(`a header has the placeholder for a value in the Basic credentials of ${JSON.stringify(user)}`, () => {
      const [[, value]] = filter.headers([["x-echo", `Basic ${base64(`${user}:${VALUE}`)}`]]) as [[string, string]]
      assert.strictEqual(value, `Basic ${base64(`${user}:${PLACEHOLDER}`)}`)
    })

    it(`a header has no value if other letters touch the base64 text of ${JSON.stringify(user)}`, () => {
      for (const before of ["x", "xy", "xyz"]) {
        const echoed = filter.text(`${before}${base64(`${user}:${VALUE}:more`)}`)
        assert.notInclude(readable(echoed), VALUE)
      }
    })

    it.effect(`a body has no value in the Basic credentials of ${JSON.stringify(user)}, however it is cut`, () =>
      Effect.gen(function*() {
        const text = `{"auth": "Basic ${base64(`${user}:${VALUE}`)}", "key": "${VALUE}"}`
        for (let at = 0; at <= text.length; at += 1) {
          const got = yield* filtered([text.slice(0, at), text.slice(at)])
          assert.lengthOf(got, text.length)
          assert.notInclude(readable(got), VALUE)
          assert.isTrue(got.startsWith("{\"auth\": \"Basic ") && got.endsWith("\"}"), got)
        }
      }))
  }

  it.effect("a body has no value that comes byte by byte", () =>
    Effect.gen(function*() {
      const got = yield* filtered([...`<${VALUE}><${encodeURIComponent(VALUE)}>${VALUE}${VALUE}`])
      assert.strictEqual(got.replaceAll("*", ""), "<><>")
    }))

  it.effect("a value is found as the writers of JSON, HTML and URLs put it into a body", () =>
    Effect.gen(function*() {
      const value = "a\"b/c\\d e+f&<'='>~!*()Z"
      const { body, text } = answerFilter([{ ...secret, value }])
      const forms = {
        javascript: JSON.stringify(value).slice(1, -1),
        php: JSON.stringify(value).slice(1, -1).replaceAll("/", "\\/"),
        go: "a\\\"b/c\\\\d e+f\\u0026\\u003c'='\\u003e~!*()Z",
        ".net": "a\\u0022b/c\\\\d e\\u002Bf\\u0026\\u003C\\u0027=\\u0027\\u003E~!*()Z",
        "html of Go": "a&#34;b/c\\d e+f&amp;&lt;&#39;=&#39;&gt;~!*()Z",
        "html of Python": "a&quot;b/c\\d e+f&amp;&lt;&#x27;=&#x27;&gt;~!*()Z",
        "encodeURIComponent": encodeURIComponent(value),
        "a form": new URLSearchParams({ value }).toString().slice("value=".length),
        "a form in lower case": "a%22b%2fc%5cd+e%2bf%26%3c%27%3d%27%3e%7e%21*%28%29Z",
        "RFC 3986": "a%22b%2Fc%5Cd%20e%2Bf%26%3C%27%3D%27%3E~%21%2A%28%29Z",
        hexadecimal: Buffer.from(value).toString("hex")
      }
      for (const [writer, form] of Object.entries(forms)) {
        const one = body()
        one.end(`(${form})`)
        const got = Buffer.concat(yield* Effect.promise(() => one.toArray())).toString("latin1")
        assert.match(got, /^\(\*+\)$/, writer)
        assert.notInclude(text(`(${form})`), form, writer)
      }
    }))

  it.live("a body that pauses at a letter of the value shows the letter, and hides the value all the same", () =>
    Effect.promise(() =>
      new Promise<void>((resolve) => {
        const body = filter.body()
        let got = ""
        body.on("data", (chunk: Buffer) => {
          got += chunk.toString("latin1")
          if (got === `message ${VALUE.slice(0, 2)}`) body.end(VALUE.slice(2))
        })
        body.once("end", () => {
          assert.strictEqual(got, `message ${VALUE.slice(0, 2)}${"*".repeat(VALUE.length - 2)}`)
          resolve()
        })
        body.write(`message ${VALUE.slice(0, 2)}`)
      })
    ))
})

describe("a request that gets a value", () => {
  const judge = (headers: ReadonlyArray<readonly [string, string]>) => {
    const verdict = judgeRequest({ secrets: [secret], foreign: [] }, HOST, {
      method: "GET",
      target: "/",
      hosts: [HOST],
      headers
    })
    assert(verdict._tag === "Allowed")
    return verdict.headers
  }

  it("no pseudo-header and no header of the message gets a value", () => {
    const names = [":path", ":method", ":scheme", ":protocol", "connection", "te", "trailer", "upgrade", "expect"]
    const given = names.map((name) => [name, PLACEHOLDER] as const)
    assert.deepStrictEqual(judge(given), given)
  })

  it("asks for an answer that is not compressed, and others ask as they like", () => {
    const asks = [["accept-encoding", "gzip, br"], ["grpc-accept-encoding", "gzip"], ["te", "gzip"]] as const
    const socket = [["sec-websocket-extensions", "permessage-deflate"]] as const
    assert.deepStrictEqual(judge([...asks, ...socket]), [...asks, ...socket])
    assert.deepStrictEqual(judge([...asks, ...socket, ["x-key", PLACEHOLDER]]), [
      ["x-key", VALUE],
      ["accept-encoding", "identity"]
    ])
    assert.deepInclude(judge([["te", "trailers"], ["x-key", PLACEHOLDER]]), ["te", "trailers"])
  })
})

describe("a host that sends everything back", () => {
  const echoOf = ({ headers }: { readonly headers: NodeJS.Dict<string | Array<string>> }) => {
    const credentials = String(headers["authorization"])
    const decoded = Buffer.from(credentials.replace(/^Basic /, ""), "base64").toString("latin1")
    return { key: String(headers["x-key"]), credentials, decoded }
  }
  const args = ["-i", "-u", `user:${PLACEHOLDER}`, "-H", `X-Key: ${PLACEHOLDER}`, "--compressed"]

  it.live("shows no value over HTTP/1.1: status line, headers, body in pieces, trailers", () =>
    Effect.gen(function*() {
      const got: Array<ReturnType<typeof echoOf>> = []
      const identity = yield* makeIdentity
      const listener: http.RequestListener = (request, response) => {
        const { credentials, decoded, key } = echoOf(request)
        got.push({ credentials, decoded, key })
        assert.strictEqual(request.headers["accept-encoding"], "identity")
        response.writeHead(200, `Hello ${key}`, {
          "X-Credentials": credentials,
          [`X-${key}`]: decoded,
          Trailer: "X-End"
        })
        response.write(`${credentials} ${key.slice(0, 5)}`)
        setImmediate(() => {
          response.write(key.slice(5))
          response.addTrailers({ "X-End": `${credentials} ${key}` })
          response.end()
        })
      }
      const guest = yield* makeIntercepted({ identity, upstream: yield* listenHttps(identity, listener) })
      const { stdout } = yield* curl(guest, "/", ...args)
      assert.strictEqual(got[0]?.decoded, `user:${VALUE}`)
      assert.match(stdout, /^HTTP\/1.1 200 Hello pyro_secret/)
      const raw = yield* speak(
        guest,
        `GET / HTTP/1.1\r\nHost: ${HOST}\r\nX-Key: ${PLACEHOLDER}\r\nAuthorization: Basic ${
          base64(`user:${PLACEHOLDER}`)
        }\r\nConnection: close\r\n\r\n`
      )
      assert.include(raw, "X-End: ")
      for (const answer of [stdout, raw]) {
        assert.notInclude(readable(answer), VALUE)
        assert.include(readable(answer), `user:${PLACEHOLDER}`)
      }
    }))

  it.live("shows no value over HTTP/2: headers, path, method, body across frames, trailers", () =>
    Effect.gen(function*() {
      const seen: Array<http2.IncomingHttpHeaders> = []
      const identity = yield* makeIdentity
      const upstream = yield* listenHttp2(identity, (stream, headers) => {
        seen.push(headers)
        const { credentials, decoded, key } = echoOf({ headers })
        stream.additionalHeaders({ ":status": 103, "x-early": credentials })
        stream.respond(
          { ":status": 200, "x-credentials": credentials, "x-decoded": decoded, "x-path": String(headers[":path"]) },
          { waitForTrailers: true }
        )
        stream.on("wantTrailers", () => stream.sendTrailers({ "x-end": `${credentials} ${key}` }))
        stream.write(`${credentials} ${key.slice(0, 5)}`)
        setImmediate(() => stream.end(key.slice(5)))
      })
      const guest = yield* makeIntercepted({ identity, upstream })
      const { stderr, stdout } = yield* curl(guest, `/p?${PLACEHOLDER}`, ...args, "-X", PLACEHOLDER, "-v")
      assert.match(stdout, /^HTTP\/2 103/)
      const [{ ":method": method, ":path": path, "x-key": key }] = seen as [http2.IncomingHttpHeaders]
      assert.deepStrictEqual({ method, path, key }, {
        method: PLACEHOLDER,
        path: `/p?${PLACEHOLDER}`,
        key: VALUE
      })
      assert.notInclude(readable(`${stdout}${stderr}`), VALUE)
      assert.include(stdout, `x-decoded: user:${PLACEHOLDER}`)
      assert.include(stdout, "x-end: ")
    }))
})
