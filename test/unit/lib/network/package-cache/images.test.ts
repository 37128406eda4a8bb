import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { createHash, randomBytes } from "node:crypto"
import * as http from "node:http"
import * as https from "node:https"
import { until } from "../../../../support/until.ts"
import { HOST } from "../intercept/intercepted.ts"
import { type ImageRegistry, makeImageRegistry } from "./image-registry.ts"
import { keptFile } from "./package-cache.ts"

const BODY = randomBytes(100_000)
const HASH = createHash("sha256").update(BODY).digest("hex")
const PATH = `/v2/app/blobs/sha256:${HASH}`

const handler: http.RequestListener = (request, response) =>
  request.url === PATH
    ? void response.writeHead(200, { "content-length": BODY.length }).end(request.method === "HEAD" ? undefined : BODY)
    : void response.writeHead(200).end("{}")

const makeRegistry = (options: { readonly tls: boolean; readonly isTrusted: boolean }) =>
  makeImageRegistry({ ...options, handler })

/** Asks as a guest that trusts `ca`, or without TLS. */
const ask = ({ front }: ImageRegistry, ca: string | undefined) =>
  Effect.callback<Buffer, Error>((resume) => {
    const options = { port: front, host: "127.0.0.1", path: PATH, agent: false, headers: { host: `${HOST}:5000` } }
    const request = ca === undefined ? http.request(options) : https.request({ ...options, ca, servername: HOST })
    request.on("response", (response) => {
      const chunks: Array<Buffer> = []
      response.on("data", (chunk: Buffer) => chunks.push(chunk)).on("end", () =>
        resume(Effect.succeed(Buffer.concat(chunks))))
    })
    request.on("error", (error) =>
      resume(Effect.fail(error)))
    request.end()
  })

const isFetchedOnce = ({ asked }: ImageRegistry) => asked.filter((one) => one === `GET ${PATH}`).length === 1

describe("connections to a registry of images", () => {
  it.live.each([true, false])("a layer is kept for a guest with TLS: %s", (tls) =>
    Effect.gen(function*() {
      const registry = yield* makeRegistry({ tls, isTrusted: true })
      const ca = tls ? registry.authority.certificate : undefined
      assert.isTrue((yield* ask(registry, ca)).equals(BODY))
      yield* keptFile(registry, `${HOST}:5000/blobs/sha256:${HASH} */*`)
      assert.isTrue((yield* ask(registry, ca)).equals(BODY))
      assert.isTrue(isFetchedOnce(registry), registry.asked.join())
    }))

  it.live("a guest sees the own certificate of a registry that this host does not trust", () =>
    Effect.gen(function*() {
      const registry = yield* makeRegistry({ tls: true, isTrusted: false })
      const failure = yield* Effect.flip(ask(registry, registry.authority.certificate))
      assert.match(failure.message, /certificate/)
      assert.isTrue((yield* ask(registry, registry.identity.authority.certificate)).equals(BODY))
      assert.isTrue((yield* ask(registry, registry.identity.authority.certificate)).equals(BODY))
      yield* until(() => registry.served.length === 3)
      assert.isAbove(registry.served[2]!.fetchedBytes, BODY.length)
    }))

  it.live("a guest that speaks TLS with a registry without TLS gets no answer of the cache", () =>
    Effect.gen(function*() {
      const registry = yield* makeRegistry({ tls: false, isTrusted: true })
      yield* Effect.flip(ask(registry, registry.authority.certificate))
      assert.deepStrictEqual(registry.asked, [])
    }))
})
