import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import { createHash, randomBytes } from "node:crypto"
import { existsSync, readFileSync, truncateSync, writeFileSync } from "node:fs"
import type * as http from "node:http"
import { join } from "node:path"
import { fileOf } from "../../../../../src/lib/network/dialer/package-cache/store.ts"
import type { NameRules } from "../../../../../src/lib/network/model/judge.ts"
import { parseHostRule } from "../../../../../src/lib/network/model/rule.ts"
import { lapse, until } from "../../../../support/until.ts"
import { entriesIn, get, keptFile, makePackageCache, type Options, temporary } from "./package-cache.ts"

const BODY = randomBytes(300_000)
const HASH = createHash("sha256").update(BODY).digest("hex")
const REGISTRY = "registry.example.com"
const CDN = "cdn.example.net"
const pathIn = (repository: string) => `/v2/${repository}/blobs/sha256:${HASH}`
const PATH = pathIn("team/app")
const KEY = `${REGISTRY}:80/blobs/sha256:${HASH} */*`

const redirects: NameRules = {
  networkPolicy: "egress",
  allowHosts: [REGISTRY, CDN].map((name) => parseHostRule(name) as NameRules["allowHosts"][number]),
  denyHosts: [],
  isListed: true
}

/** A registry that gives the blob to those who have the right. */
const registry = (
  { body = BODY, isAllowed = () => true }: {
    readonly body?: Buffer
    readonly isAllowed?: (request: http.IncomingMessage) => boolean
  } = {}
): http.RequestListener =>
(request, response) => {
  if (!isAllowed(request)) return void response.writeHead(404).end("no such blob")
  response.writeHead(200, { "content-length": body.length, "content-type": "application/octet-stream" })
  response.end(request.method === "HEAD" ? undefined : body)
}

/** A registry that sends clients to another host, which knows no credentials. */
const redirecting =
  (location: string, seen: Array<http.IncomingHttpHeaders> = []): http.RequestListener => (request, response) => {
    if (request.headers.host === REGISTRY) return void response.writeHead(307, { location }).end()
    seen.push(request.headers)
    const { range } = request.headers
    if (request.method !== "GET") return void response.writeHead(403).end()
    if (range !== "bytes=0-0") return void response.writeHead(200, { "content-length": BODY.length }).end(BODY)
    response.writeHead(206, { "content-length": 1, "content-range": `bytes 0-0/${BODY.length}` }).end(
      BODY.subarray(0, 1)
    )
  }

const make = (options: Partial<Options> & Pick<Options, "handler">) =>
  makePackageCache({ kind: "images", redirects, ...options })

const gets = (asked: ReadonlyArray<string>) => asked.filter((one) => one.startsWith("GET"))

/** A cache that has the blob. */
const filled = Effect.gen(function*() {
  const directory = join(yield* temporary, "downloads")
  const cache = yield* make({ handler: registry(), directory })
  assert.isTrue((yield* get(cache, PATH)).body.equals(BODY))
  return { directory, file: yield* keptFile(cache, KEY) }
})

describe("layers of images in the package cache", () => {
  it.live("a layer is fetched once for all repositories of a registry, and the registry is asked about each reader", () =>
    Effect.gen(function*() {
      const { directory } = yield* filled
      const other = yield* make({ handler: registry(), directory, group: "other" })
      const again = yield* get(other, pathIn("other"), { headers: { authorization: "Bearer theirs" } })
      assert.isTrue(again.body.equals(BODY))
      assert.deepStrictEqual(other.asked, [`HEAD ${pathIn("other")}`])
      yield* until(() => other.served.length === 1)
      assert.deepInclude(other.served[0], { fetchedBytes: 0, cachedBytes: BODY.length })
    }))

  it.live("a guest that the registry refuses gets the refusal, and nothing of the kept layer", () =>
    Effect.gen(function*() {
      const { directory } = yield* filled
      const isAllowed = ({ headers }: http.IncomingMessage) => headers.authorization === "Bearer right"
      const other = yield* make({ handler: registry({ isAllowed }), directory })
      const refused = yield* get(other, PATH, { headers: { authorization: "Bearer wrong" } })
      assert.deepStrictEqual([refused.status, refused.body.toString()], [404, "no such blob"])
      const right = yield* get(other, PATH, { headers: { authorization: "Bearer right" } })
      assert.isTrue(right.body.equals(BODY))
    }))

  it.live("a registry that says yes to everything gets no layer of another registry", () =>
    Effect.gen(function*() {
      const { directory } = yield* filled
      const handler: http.RequestListener = (request, response) =>
        void response.writeHead(200, { "content-length": BODY.length })
          .end(request.method === "HEAD" ? undefined : Buffer.alloc(BODY.length))
      const evil = yield* make({ handler, directory, name: "evil.example.org" })
      assert.isTrue((yield* get(evil, PATH)).body.equals(Buffer.alloc(BODY.length)))
    }))

  it.live("a redirect to an allowed host is followed without credentials, and the layer is kept", () =>
    Effect.gen(function*() {
      const directory = join(yield* temporary, "downloads")
      const seen: Array<http.IncomingHttpHeaders> = []
      const handler = redirecting(`http://${CDN}/store/${HASH}?signature=1`, seen)
      const headers = { authorization: "Bearer mine", cookie: "a=b" }
      const first = yield* make({ handler, directory })
      assert.isTrue((yield* get(first, PATH, { headers })).body.equals(BODY))
      yield* keptFile(first, KEY)
      const second = yield* make({ handler, directory, group: "other" })
      assert.isTrue((yield* get(second, PATH, { headers })).body.equals(BODY))
      assert.deepStrictEqual(seen.map(({ host, range }) => [host, range]), [[CDN, undefined], [CDN, "bytes=0-0"]])
      assert.isFalse(seen.some((one) => "authorization" in one || "cookie" in one))
    }))

  it.live("the guest gets a redirect to a host that its policy denies", () =>
    Effect.gen(function*() {
      const cache = yield* make({ handler: redirecting("http://elsewhere.example/x") })
      const { headers, status } = yield* get(cache, PATH)
      assert.deepStrictEqual([status, headers.location], [307, "http://elsewhere.example/x"])
    }))

  it.live("a redirect to a page is no right to read a kept layer", () =>
    Effect.gen(function*() {
      const { directory } = yield* filled
      const handler: http.RequestListener = (request, response) =>
        request.headers.host === REGISTRY
          ? void response.writeHead(302, { location: `http://${CDN}/login` }).end()
          : void response.writeHead(200, { "content-length": 5 }).end("login")
      const cache = yield* make({ handler, directory })
      assert.strictEqual((yield* get(cache, PATH)).status, 302)
    }))

  it.live.each<[string, (file: string) => void]>([
    ["changed", (file) => {
      const bytes = readFileSync(file)
      bytes[100] = bytes[100]! ^ 1
      writeFileSync(file, bytes)
    }],
    ["cut", (file) => truncateSync(file, 1_000)]
  ])(
    "a file that was %s is found before its first byte is sent, and fetched again",
    ([, damage]) =>
      Effect.gen(function*() {
        const { directory, file } = yield* filled
        damage(file)
        const cache = yield* make({ handler: registry(), directory })
        const answer = yield* get(cache, PATH)
        assert.isTrue(answer.body.equals(BODY))
        assert.isFalse(answer.isCut)
        assert.deepStrictEqual(gets(cache.asked), [`GET ${PATH}`])
        yield* keptFile(cache, KEY)
      })
  )

  it.live("a registry that gives other bytes than the digest says poisons nothing", () =>
    Effect.gen(function*() {
      const cache = yield* make({ handler: registry({ body: randomBytes(1_000) }) })
      yield* get(cache, PATH)
      yield* until(() => cache.served.length === 1)
      assert.strictEqual(entriesIn(cache.directory), 0)
      assert.isFalse(existsSync(join(cache.directory, fileOf(KEY))))
    }))

  it.live("two guests at a time share one fetch", () =>
    Effect.gen(function*() {
      const waiting: Array<() => void> = []
      const handler: http.RequestListener = (request, response) => {
        response.writeHead(200, { "content-length": BODY.length })
        if (request.method === "HEAD") return void response.end()
        response.write(BODY.subarray(0, 1_000))
        waiting.push(() => response.end(BODY.subarray(1_000)))
      }
      const cache = yield* make({ handler })
      const first = yield* Effect.forkChild(get(cache, PATH))
      yield* until(() => waiting.length === 1)
      const second = yield* Effect.forkChild(get(cache, PATH))
      yield* until(() => cache.asked.some((one) => one.startsWith("HEAD")))
      yield* lapse(50)
      for (const end of waiting) end()
      for (const fiber of [first, second]) assert.isTrue((yield* Fiber.join(fiber)).body.equals(BODY))
      assert.deepStrictEqual(gets(cache.asked), [`GET ${PATH}`])
      yield* keptFile(cache, KEY)
    }))

  it.live("manifests and everything else come from the registry, with the client's credentials", () =>
    Effect.gen(function*() {
      const seen: Array<string> = []
      const cache = yield* make({
        handler: ({ headers, url }, response) => {
          seen.push(`${url} ${headers.authorization}`)
          response.writeHead(401, { "www-authenticate": "Bearer realm=\"https://auth.example.com/token\"" }).end()
        }
      })
      const headers = { authorization: "Bearer mine" }
      const answer = yield* get(cache, "/v2/team/app/manifests/1", { headers })
      assert.deepStrictEqual([answer.status, answer.headers["www-authenticate"]], [
        401,
        "Bearer realm=\"https://auth.example.com/token\""
      ])
      assert.deepStrictEqual(seen, ["/v2/team/app/manifests/1 Bearer mine"])
    }))
})
