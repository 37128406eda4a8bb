import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Fiber, Option } from "effect"
import { createHash, randomBytes } from "node:crypto"
import { readdirSync, readFileSync, readlinkSync } from "node:fs"
import type * as http from "node:http"
import * as net from "node:net"
import { gunzipSync, gzipSync } from "node:zlib"
import { contentOf } from "../../../../../src/lib/network/dialer/package-cache/keeping.ts"
import type { RegistryKind } from "../../../../../src/lib/network/model/cache-access.ts"
import { lapse, until } from "../../../../support/until.ts"
import {
  entriesIn,
  get,
  HOSTS,
  keptFile,
  makePackageCache,
  type PackageCacheFront,
  sending,
  speak
} from "./package-cache.ts"

const TARBALL = "/left-pad/-/left-pad-1.0.0.tgz"
const KEY = `registry.npmjs.org:80${TARBALL} */*`
const PACKUMENT = "/left-pad"
const BODY = randomBytes(300_000)

/** Whether this process has files of a cache open. */
const hasOpenFiles = ({ directory }: PackageCacheFront) =>
  readdirSync("/proc/self/fd").some((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`).startsWith(directory)
    } catch {
      return false
    }
  })

describe("the package cache", () => {
  it.live("a tarball is fetched once, and comes from the disk without the registry", () =>
    Effect.gen(function*() {
      const cache = yield* makePackageCache({ handler: sending(BODY, { "content-length": String(BODY.length) }) })
      assert.isTrue((yield* get(cache, TARBALL)).body.equals(BODY))
      yield* keptFile(cache, KEY)
      const other = yield* makePackageCache({ handler: sending(""), directory: cache.directory, group: "other" })
      other.state.isReachable = false
      const again = yield* get(other, TARBALL)
      assert.isTrue(again.body.equals(BODY))
      assert.deepStrictEqual(cache.asked, [`GET ${TARBALL}`])
      assert.deepStrictEqual(other.asked, [])
      yield* until(() => cache.served.length + other.served.length === 2)
      assert.deepInclude(cache.served[0], { fetchedBytes: BODY.length, cachedBytes: 0 })
      assert.deepInclude(other.served[0], { fetchedBytes: 0, cachedBytes: BODY.length })
    }))

  it.live("requests for one file at a time cause one fetch, and each gets bytes as they arrive", () =>
    Effect.gen(function*() {
      const half = yield* Deferred.make<void>()
      const cache = yield* makePackageCache({
        handler: (_, response) => {
          response.writeHead(200, { "content-length": BODY.length }).write(BODY.subarray(0, 100_000))
          Effect.runFork(Effect.map(Deferred.await(half), () => response.end(BODY.subarray(100_000))))
        }
      })
      const first = yield* Effect.forkChild(get(cache, TARBALL))
      const second = yield* Effect.forkChild(get(cache, TARBALL))
      yield* lapse(200)
      yield* Deferred.succeed(half, undefined)
      for (const fiber of [first, second]) assert.isTrue((yield* Fiber.join(fiber)).body.equals(BODY))
      assert.lengthOf(cache.asked, 1)
    }))

  it.live("a packument is asked about again with its tag, and served stale while the registry is away", () =>
    Effect.gen(function*() {
      const zipped = gzipSync("{\"name\":\"left-pad\"}")
      const cache = yield* makePackageCache({
        handler: (request, response) =>
          request.headers["if-none-match"] === "\"one\""
            ? response.writeHead(304).end()
            : response.writeHead(200, { etag: "\"one\"", "content-encoding": "gzip" }).end(zipped)
      })
      const zippedAnswer = yield* get(cache, PACKUMENT, { headers: { "accept-encoding": "gzip" } })
      assert.strictEqual(gunzipSync(zippedAnswer.body).toString(), "{\"name\":\"left-pad\"}")
      assert.strictEqual((yield* get(cache, PACKUMENT)).body.toString(), "{\"name\":\"left-pad\"}")
      assert.strictEqual((yield* get(cache, PACKUMENT, { headers: { "if-none-match": "\"one\"" } })).status, 304)
      assert.lengthOf(cache.asked, 3)
      cache.state.isReachable = false
      assert.strictEqual((yield* get(cache, PACKUMENT)).body.toString(), "{\"name\":\"left-pad\"}")
    }))

  it.live("a fresh packument causes no question, unless the client wants a younger one", () =>
    Effect.gen(function*() {
      const cache = yield* makePackageCache({ handler: sending("{}", { "cache-control": "max-age=300" }) })
      yield* get(cache, PACKUMENT)
      yield* get(cache, PACKUMENT)
      assert.lengthOf(cache.asked, 1)
      yield* get(cache, PACKUMENT, { headers: { "cache-control": "max-age=0" } })
      assert.lengthOf(cache.asked, 2)
    }))

  it.live("a client that wants no kept answer gets a new one, which replaces the kept one", () =>
    Effect.gen(function*() {
      let count = 0
      const cache = yield* makePackageCache({ handler: (_, response) => response.end(`${++count}`) })
      yield* get(cache, TARBALL)
      const again = yield* get(cache, TARBALL, { headers: { "cache-control": "no-cache" } })
      assert.strictEqual(again.body.toString(), "2")
      const file = yield* keptFile(cache, KEY)
      yield* until(() => readFileSync(file, "latin1").startsWith("2"))
      const other = yield* makePackageCache({ handler: sending(""), directory: cache.directory, group: "other" })
      assert.strictEqual((yield* get(other, TARBALL)).body.toString(), "2")
    }))

  it.live("an answer that the registry cuts is cut for the client, and never kept", () =>
    Effect.gen(function*() {
      let isWhole = false
      const cache = yield* makePackageCache({
        handler: (_, response) => {
          response.writeHead(200, { "content-length": BODY.length })
          if (isWhole) return void response.end(BODY)
          response.write(BODY.subarray(0, 1_000), () => response.destroy())
        }
      })
      const cut = yield* Effect.option(get(cache, TARBALL))
      assert.isTrue(Option.match(cut, { onNone: () => true, onSome: ({ isCut }) => isCut }))
      isWhole = true
      assert.isTrue((yield* get(cache, TARBALL)).body.equals(BODY))
    }))

  const hex = (algorithm: string, body: Buffer) => createHash(algorithm).update(body).digest("hex")
  const FILE = "/packages/aa/bb/Left_Pad-1.0.tar.gz"
  const BY_HASH = `/debian/dists/trixie/main/by-hash/SHA256/${hex("sha256", BODY)}`
  const integrity = `sha512-${createHash("sha512").update(BODY).digest("base64")}`
  const dist = (file: string) =>
    JSON.stringify({ versions: { "1.0.0": { dist: { integrity, tarball: `https://registry.npmjs.org${file}` } } } })
  const CRATE = "/crates/left-pad/1.0.0/download"
  const JAR = "/maven2/org/left/pad/1.0.0/pad-1.0.0.jar"
  const SCOPED = "/@a/left-pad/-/left-pad-1.0.0.tgz"
  const pypiJson = JSON.stringify({
    files: [{ url: `https://files.pythonhosted.org${FILE}`, hashes: { sha256: hex("sha256", BODY) } }]
  })
  const indexed: ReadonlyArray<
    readonly [
      kind: RegistryKind,
      file: string,
      index?: readonly [kind: RegistryKind, path: string, body: string, accept: string]
    ]
  > = [
    ["npm", TARBALL, ["npm", PACKUMENT, dist(TARBALL), "*/*"]],
    ["npm", SCOPED, ["npm", "/@a%2fleft-pad", dist(SCOPED), "application/vnd.npm.install-v1+json"]],
    ["pypi-files", FILE, [
      "pypi-index",
      "/simple/left-pad/",
      `<a href="https://files.pythonhosted.org${FILE}#sha256=${hex("sha256", BODY)}">`,
      "text/html"
    ]],
    ["pypi-files", FILE, ["pypi-index", "/simple/left-pad/", pypiJson, "application/vnd.pypi.simple.v1+json"]],
    ["crates-files", CRATE, [
      "crates-index",
      "/le/ft/left-pad",
      JSON.stringify({ vers: "0.9.0" }) + "\n" + JSON.stringify({ vers: "1.0.0", cksum: hex("sha256", BODY) }),
      "*/*"
    ]],
    ["maven", JAR, ["maven", `${JAR}.sha1`, hex("sha1", BODY), "*/*"]],
    ["debian", BY_HASH]
  ]
  for (const [kind, file, index] of indexed) {
    it.live(`a file whose hash is not that of ${index?.[3] ?? "its name"} is not kept: ${file}`, () =>
      Effect.gen(function*() {
        let body = BODY.subarray(1)
        const cache = yield* makePackageCache({ kind, handler: (_, response) => response.end(body) })
        if (index !== undefined) {
          const front = yield* makePackageCache({
            kind: index[0],
            handler: sending(gzipSync(index[2]), { "content-encoding": "gzip" }),
            directory: cache.directory
          })
          yield* get(front, index[1], { headers: { accept: index[3] } })
          yield* until(() => entriesIn(cache.directory) === 1)
        }
        const other = (group: string) =>
          makePackageCache({ kind, handler: sending("away"), directory: cache.directory, group })
        assert.isTrue((yield* get(cache, file)).body.equals(body))
        assert.strictEqual((yield* get(yield* other("second"), file)).body.toString(), "away")
        body = BODY
        assert.isTrue((yield* get(cache, file)).body.equals(BODY))
        yield* keptFile(cache, `${HOSTS[kind]}:80${file} */*`)
        assert.isTrue((yield* get(yield* other("third"), file)).body.equals(BODY))
      }))
  }

  it.live("a guest whose rules deny the registry makes no other guest read a stale index", () =>
    Effect.gen(function*() {
      const cache = yield* makePackageCache({ handler: sending("{}") })
      yield* get(cache, PACKUMENT)
      yield* keptFile(cache, `registry.npmjs.org:80${PACKUMENT} */*`)
      const denied = yield* makePackageCache({ handler: sending("{}"), directory: cache.directory, group: "denied" })
      denied.state.isReachable = false
      assert.strictEqual((yield* get(denied, PACKUMENT)).body.toString(), "{}")
      yield* get(cache, PACKUMENT)
      assert.lengthOf(cache.asked, 2)
    }))

  const kept: ReadonlyArray<readonly [kind: RegistryKind, path: string, keeps: "immutable" | "index" | undefined]> = [
    ["crates-index", "/config.json", "index"],
    ["crates-index", "/3/l/log", "index"],
    ["crates-index", "/../le/ft/left-pad", undefined],
    ["crates-files", "/crates/log/0.4.1/download", "immutable"],
    ["crates-files", "/crates/log/0.4.1/download?a", undefined],
    ["go", "/github.com/!burnt!sushi/toml/@v/v1.2.3-0.20200101000000-abcdefabcdef.zip", "immutable"],
    ["go", "/example.com/a/v2/@v/v2.0.0+incompatible.mod", "immutable"],
    ["go", "/example.com/a/@v/master.info", undefined],
    ["go", "/example.com/a/@v/v1.info", undefined],
    ["go", "/example.com/a/@v/list", "index"],
    ["go", "/example.com/a/@latest", "index"],
    ["go-sums", "/lookup/example.com/a@v1.0.0", "immutable"],
    ["go-sums", "/tile/8/0/x001/234", "immutable"],
    ["go-sums", "/latest", "index"],
    ["maven", "/maven2/junit/junit/4.13/junit-4.13.pom", "immutable"],
    ["maven", "/maven2/junit/junit/maven-metadata.xml", "index"],
    ["maven", "/maven2/junit/junit/maven-metadata.xml.sha1", "index"],
    ["maven", "/maven2/junit/junit/", undefined]
  ]
  for (const [kind, path, keeps] of kept) {
    it(`${kind} keeps ${path}: ${keeps ?? "not"}`, () => {
      assert.strictEqual(contentOf(kind, path, "*/*")?.keeps, keeps)
    })
  }

  const unkept: ReadonlyArray<readonly [what: string, headers: Record<string, string>, asked: Record<string, string>]> =
    [
      ["with Cache-Control: no-store", { "cache-control": "no-store" }, {}],
      ["with Cache-Control: private", { "cache-control": "private, max-age=60" }, {}],
      ["with an unknown coding", { "content-encoding": "br" }, {}],
      ["to a request with credentials", {}, { authorization: "Bearer x" }],
      ["to a request with a cookie", {}, { cookie: "a=b" }],
      ["to a request that wants no copy", {}, { "cache-control": "no-store" }]
    ]
  for (const [what, headers, asked] of unkept) {
    it.live(`an answer ${what} is passed on and not kept`, () =>
      Effect.gen(function*() {
        const cache = yield* makePackageCache({ handler: sending("secret", headers) })
        assert.strictEqual((yield* get(cache, TARBALL, { headers: asked })).body.toString(), "secret")
        cache.state.isReachable = false
        assert.strictEqual((yield* get(cache, TARBALL, { headers: asked })).status, 502)
      }))
  }

  it.live("a range is served from a whole entry, and passed on without one", () =>
    Effect.gen(function*() {
      const cache = yield* makePackageCache({
        handler: (request, response) =>
          request.headers.range === undefined
            ? response.writeHead(200, { etag: "\"one\"", "content-length": BODY.length }).end(BODY)
            : response.writeHead(206, { "content-range": "bytes 0-0/300000" }).end("x")
      })
      assert.strictEqual((yield* get(cache, TARBALL, { headers: { range: "bytes=0-0" } })).body.toString(), "x")
      yield* get(cache, TARBALL)
      yield* keptFile(cache, KEY)
      const other = yield* makePackageCache({ handler: sending(""), directory: cache.directory, group: "other" })
      const part = yield* get(other, TARBALL, { headers: { range: "bytes=10-19", "if-range": "\"one\"" } })
      assert.strictEqual(part.status, 206)
      assert.isTrue(part.body.equals(BODY.subarray(10, 20)))
      const changed = yield* get(other, TARBALL, { headers: { range: "bytes=10-19", "if-range": "\"two\"" } })
      assert.strictEqual(changed.status, 200)
    }))

  it.live("links of an index lead to the cache, also across pieces and through a coding", () =>
    Effect.gen(function*() {
      const link = { from: "https://files.pythonhosted.org/", to: "http://files.test/" }
      const page = `<a href="${link.from}packages/a">`.repeat(5_000)
      const cache = yield* makePackageCache({
        kind: "pypi-index",
        link,
        handler: sending(gzipSync(page), { "content-encoding": "gzip" })
      })
      const answer = yield* get(cache, "/simple/a/", { headers: { "accept-encoding": "gzip" } })
      assert.strictEqual(answer.body.toString(), page.replaceAll(link.from, link.to))
    }))

  it.live("hostile requests are refused, and none of them reaches the registry", () =>
    Effect.gen(function*() {
      const cache = yield* makePackageCache({ handler: sending("x") })
      const host = "Host: cache.test"
      const answers = yield* Effect.forEach([
        [`GET ${TARBALL} HTTP/1.1`, "Host: evil.test"],
        [`GET ${TARBALL} HTTP/1.1`],
        ["GET http://evil.test/a HTTP/1.1", host],
        ["CONNECT evil.test:443 HTTP/1.1", host],
        [`GET /${"a".repeat(5_000)} HTTP/1.1`, host],
        [`GET ${TARBALL} HTTP/1.1`, host, `X-Key: ${"a".repeat(20_000)}`],
        [`GET ${TARBALL} HTTP/1.1`, host, "Transfer-Encoding: chunked", "Content-Length: 5"],
        ["no HTTP"]
      ], (lines) => speak(cache, `${lines.join("\r\n")}\r\n\r\n`))
      for (const answer of answers) assert.match(answer, /^HTTP\/1\.1 4\d\d /)
      assert.deepStrictEqual(cache.asked, [])
    }))

  it.live("more than 16 requests at once end the connection", () =>
    Effect.gen(function*() {
      const cache = yield* makePackageCache({ handler: () => {} })
      const request = (number: number) => `GET /a${number} HTTP/1.1\r\nHost: cache.test\r\n\r\n`
      assert.strictEqual(yield* speak(cache, Array.from({ length: 20 }, (_, at) => request(at)).join("")), "")
    }))

  it.live("a guest that leaves before its turn leaves no open file behind", () =>
    Effect.gen(function*() {
      const cache = yield* makePackageCache({ handler: (_, response) => response.end(BODY) })
      yield* get(cache, TARBALL)
      yield* keptFile(cache, KEY)
      const asked = yield* Deferred.make<void>()
      const hanging = yield* makePackageCache({
        handler: () => Effect.runFork(Deferred.succeed(asked, undefined)),
        directory: cache.directory,
        group: "other"
      })
      const request = (path: string) => `GET ${path} HTTP/1.1\r\nHost: cache.test\r\n\r\n`
      const socket = net.connect(hanging.port, "127.0.0.1", () =>
        socket.write(request("/-/v1/search") + request(TARBALL)))
      yield* Deferred.await(asked)
      yield* until(() =>
        hasOpenFiles(cache)
      )
      socket.destroy()
      yield* until(() => !hasOpenFiles(cache))
    }))

  it.live("an answer that breaks before its turn ends the connection after the answers before it", () =>
    Effect.gen(function*() {
      const held: Array<http.ServerResponse> = []
      const cache = yield* makePackageCache({
        handler: ({ url }, response) => {
          if (url === TARBALL) response.writeHead(200, { "content-length": "100" }).write("part")
          held.push(response)
        }
      })
      const requests = ["/-/v1/search", TARBALL].map((path) => `GET ${path} HTTP/1.1\r\nHost: cache.test\r\n\r\n`)
      const speaking = yield* Effect.forkChild(speak(cache, requests.join(""), { endsAtAnswer: false }))
      yield* until(() => held.length === 2 && hasOpenFiles(cache))
      const [search, tarball] = held.sort((one, other) => Number(one.headersSent) - Number(other.headersSent))
      tarball!.destroy()
      yield* until(() => !hasOpenFiles(cache))
      search!.end("found")
      const answer = yield* Fiber.join(speaking)
      assert.match(answer, /^HTTP\/1\.1 200 OK\r\n[^]*\bfound\b/)
      assert.lengthOf(answer.match(/HTTP\/1\.1/g)!, 1)
    }))

  it.live("a guest that asks for headers alone does not end the fetch that another request joins", () =>
    Effect.gen(function*() {
      const held: Array<http.ServerResponse> = []
      const cache = yield* makePackageCache({ handler: (_, response) => void held.push(response) })
      const requests = `HEAD ${TARBALL} HTTP/1.1\r\nHost: cache.test\r\n\r\n` +
        `GET ${TARBALL} HTTP/1.1\r\nHost: cache.test\r\nConnection: close\r\n\r\n`
      const speaking = yield* Effect.forkChild(speak(cache, requests, { endsAtAnswer: false }))
      yield* until(() => held.length === 1)
      held[0]!.writeHead(200, { "content-length": BODY.length }).end(BODY)
      const answer = yield* Fiber.join(speaking)
      assert.lengthOf(answer.match(/HTTP\/1\.1 200/g)!, 2)
      assert.isTrue(answer.endsWith(BODY.toString("latin1")))
      assert.lengthOf(cache.asked, 1)
    }))

  it.live("an audit is passed on with its body, and other methods are refused", () =>
    Effect.gen(function*() {
      const cache = yield* makePackageCache({ handler: (request, response) => void request.pipe(response) })
      const audit = yield* get(cache, "/-/npm/v1/security/advisories/bulk", { method: "POST" })
      assert.strictEqual(audit.status, 200)
      assert.strictEqual((yield* get(cache, "/left-pad", { method: "PUT" })).status, 405)
      assert.deepStrictEqual(cache.asked, ["POST /-/npm/v1/security/advisories/bulk"])
    }))
})
