import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { createHash, randomBytes } from "node:crypto"
import type * as http from "node:http"
import * as https from "node:https"
import { until } from "../../../../support/until.ts"
import { HOST } from "../intercept/intercepted.ts"
import { type ImageRegistry, makeImageRegistry } from "./image-registry.ts"
import { keptFile } from "./package-cache.ts"

const BODY = randomBytes(200_000)
const HASH = createHash("sha256").update(BODY).digest("hex")
const path = (repository: string) => `/v2/${repository}/blobs/sha256:${HASH}`
const KEY = `${HOST}:5000/blobs/sha256:${HASH} */*`

const PLACEHOLDER = "pyro_secret_PASSWORD_0123456789abcdef"
const basic = (password: string) => `Basic ${Buffer.from(`user:${password}`).toString("base64")}`

/** A registry whose passwords open one repository each. Its refusals show the credentials, as some do. */
const handler =
  (passwords: Readonly<Record<string, string>>): http.RequestListener => ({ headers, method, url = "" }, response) => {
    const [, repository = ""] = /^\/v2\/(.+)\/blobs\//.exec(url) ?? []
    if (headers.authorization !== basic(passwords[repository] ?? "nobody")) {
      const given = Buffer.from((headers.authorization ?? "").slice(6), "base64").toString()
      return void response.writeHead(401, { "x-given": given }).end(`no blob for ${given}`)
    }
    response.writeHead(200, { "content-length": BODY.length }).end(method === "HEAD" ? undefined : BODY)
  }

const login = (value: string, repository: string) => ({
  name: "PASSWORD",
  placeholder: PLACEHOLDER,
  header: "authorization",
  value,
  pulls: [repository]
})

interface Answer {
  readonly status: number
  readonly text: string
  readonly body: Buffer
}

const ask = (
  { authority }: ImageRegistry,
  port: number,
  target: string,
  headers: http.OutgoingHttpHeaders = { authorization: basic(PLACEHOLDER) }
) =>
  Effect.callback<Answer, Error>((resume) => {
    const request = https.request({
      port,
      host: "127.0.0.1",
      path: target,
      agent: false,
      ca: authority.certificate,
      servername: HOST,
      headers: { ...headers, host: `${HOST}:5000` }
    })
    request.on("response", (response) => {
      const chunks: Array<Buffer> = []
      response.on("data", (chunk: Buffer) => chunks.push(chunk)).on("error", (error) => resume(Effect.fail(error)))
      response.on("end", () => {
        const body = Buffer.concat(chunks)
        const text = `${JSON.stringify(response.headers)} ${body.toString("latin1")}`
        resume(Effect.succeed({ status: response.statusCode!, text, body }))
      })
    })
    request.on("error", (error) => resume(Effect.fail(error))).end()
  })

const make = (passwords: Readonly<Record<string, string>>, isTrusted = true) =>
  makeImageRegistry({ handler: handler(passwords), tls: true, isTrusted })

const gets = ({ asked }: ImageRegistry) => asked.filter((one) => one.startsWith("GET")).length

describe("layers of a registry with logins", () => {
  it.live("are fetched once for those who may read them", () =>
    Effect.gen(function*() {
      const registry = yield* make({ "team/one": "password-one", "team/two": "password-two" })
      const one = yield* registry.frontFor([login("password-one", "team/one")], "one")
      assert.isTrue((yield* ask(registry, one, path("team/one"))).body.equals(BODY))
      yield* keptFile(registry, KEY)
      const two = yield* registry.frontFor([login("password-two", "team/two")], "two")
      assert.isTrue((yield* ask(registry, two, path("team/two"))).body.equals(BODY))
      assert.deepStrictEqual(registry.asked, [`GET ${path("team/one")}`, `HEAD ${path("team/two")}`])
    }))

  it.live("reach no other login, no wrong password and nobody without one", () =>
    Effect.gen(function*() {
      const registry = yield* make({ "team/one": "password-one", "team/two": "password-two" })
      const one = yield* registry.frontFor([login("password-one", "team/one")], "one")
      yield* ask(registry, one, path("team/one"))
      yield* keptFile(registry, KEY)
      for (
        const [value, headers] of [
          ["password-two", undefined],
          ["wrong-password", undefined],
          ["password-one", {}],
          ["password-one", { authorization: basic("guessed-password") }]
        ] as const
      ) {
        const front = yield* registry.frontFor([login(value, "team/one")], value)
        const { body, status, text } = yield* ask(registry, front, path("team/one"), headers)
        assert.deepStrictEqual([status, body.length < 100], [401, true])
        assert.notInclude(text, value)
      }
      const plain = yield* ask(registry, registry.front, path("team/one"), {})
      assert.deepStrictEqual([plain.status, plain.body.length < 100], [401, true])
    }))

  it.live("a request for another repository than the login's is denied, and said", () =>
    Effect.gen(function*() {
      const registry = yield* make({ "team/two": "password-one" })
      const one = yield* registry.frontFor([login("password-one", "team/one")])
      assert.strictEqual((yield* ask(registry, one, path("team/two"))).status, 403)
      assert.deepStrictEqual(registry.asked, [])
      yield* until(() => registry.served.length > 0)
      assert.match(registry.served[0]!.denial!.detail, /the placeholder of the secret PASSWORD/)
    }))

  it.live("a registry that this host does not trust gets no login", () =>
    Effect.gen(function*() {
      const registry = yield* make({ "team/one": "password-one" }, false)
      const one = yield* registry.frontFor([login("password-one", "team/one")])
      assert.strictEqual((yield* ask(registry, one, path("team/one"))).status, 502)
      assert.strictEqual(gets(registry), 0)
      yield* until(() => registry.served.length > 0)
      assert.match(registry.served[0]!.failure!, /^TLS with .* failed/)
    }))

  it.live("a login may be longer than the headers of other guests", () =>
    Effect.gen(function*() {
      // The registry of this test takes 16 KiB.
      const long = "p".repeat(11_000)
      const registry = yield* make({ "team/one": long })
      const one = yield* registry.frontFor([login(long, "team/one")])
      assert.isTrue((yield* ask(registry, one, path("team/one"))).body.equals(BODY))
    }))
})
