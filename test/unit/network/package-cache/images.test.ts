import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { createHash, randomBytes } from "node:crypto"
import { writeFileSync } from "node:fs"
import * as http from "node:http"
import * as https from "node:https"
import * as net from "node:net"
import { join } from "node:path"
import type { CacheAccess, Served } from "../../../../src/network/cache-access.ts"
import type { DialMessage } from "../../../../src/network/dial/protocol.ts"
import { makeAuthority } from "../../../../src/network/intercept/certificates.ts"
import { serveImages } from "../../../../src/network/package-cache/images.ts"
import { HOST, listen, listenHttps, makeIdentity } from "../intercept/intercepted.ts"
import { keptFile, temporary } from "./package-cache.ts"

const BODY = randomBytes(100_000)
const HASH = createHash("sha256").update(BODY).digest("hex")
const PATH = `/v2/app/blobs/sha256:${HASH}`

const handler: http.RequestListener = (request, response) =>
  request.url === PATH
    ? void response.writeHead(200, { "content-length": BODY.length }).end(request.method === "HEAD" ? undefined : BODY)
    : void response.writeHead(200).end("{}")

/** A guest's connections to a registry, with or without TLS. `isTrusted`: the host trusts the registry's certificate. */
const makeRegistry = ({ isTrusted, tls }: { readonly tls: boolean; readonly isTrusted: boolean }) =>
  Effect.gen(function*() {
    const folder = yield* temporary
    const identity = yield* makeIdentity
    const asked: Array<string> = []
    const counting: http.RequestListener = (request, response) => {
      asked.push(`${request.method} ${request.url}`)
      handler(request, response)
    }
    const port = yield* (tls ? listenHttps(identity, counting) : listen(http.createServer(counting)))
    const proxy = yield* listen(
      http.createServer().on("connect", (_, socket: net.Socket) => {
        const onward = net.connect(port, "127.0.0.1", () => socket.write("HTTP/1.1 200 OK\r\n\r\n"))
        onward.on("error", () => socket.destroy()).pipe(socket)
        socket.on("error", () => onward.destroy()).pipe(onward)
      })
    )
    const authority = yield* Effect.promise(() => makeAuthority({ hosts: [HOST], nowMs: Date.now() }))
    const trustFile = join(folder, "trust.pem")
    writeFileSync(trustFile, isTrusted ? identity.authority.certificate : authority.certificate)
    const trust = { file: trustFile, extraFile: undefined }
    const url = `http://127.0.0.1:${proxy}`
    const dial: DialMessage = {
      _tag: "Dial",
      id: 1,
      name: HOST,
      address: undefined,
      port: 5000,
      allowIps: [],
      group: folder,
      proxies: { http: url, https: url, all: url, no: undefined },
      interception: { authority, secrets: [], foreign: [], trust, nowMs: Date.now() }
    }
    const directory = join(folder, "downloads")
    const access: CacheAccess = {
      kind: "images",
      names: [`${HOST}:5000`],
      directory,
      maxBytes: 64 * 1024 * 1024,
      reserveBytes: 0,
      trust
    }
    const served: Array<Served> = []
    const front = yield* listen(
      net.createServer(
        { allowHalfOpen: true },
        (socket) => void serveImages(socket, dial, access, (got) => served.push(got))
      )
    )
    return { asked, authority, directory, front, identity, served }
  })
type Registry = Effect.Success<ReturnType<typeof makeRegistry>>

/** Asks as a guest that trusts `ca`, or without TLS. */
const ask = ({ front }: Registry, ca: string | undefined) =>
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

const isFetchedOnce = ({ asked }: Registry) => asked.filter((one) => one === `GET ${PATH}`).length === 1

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
      yield* Effect.repeat(Effect.sleep(5), { until: () => registry.served.length === 3 })
      assert.isAbove(registry.served[2]!.fetchedBytes, BODY.length)
    }))

  it.live("a guest that speaks TLS with a registry without TLS gets no answer of the cache", () =>
    Effect.gen(function*() {
      const registry = yield* makeRegistry({ tls: false, isTrusted: true })
      yield* Effect.flip(ask(registry, registry.authority.certificate))
      assert.deepStrictEqual(registry.asked, [])
    }))
})
