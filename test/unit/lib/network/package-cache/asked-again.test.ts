import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { randomBytes } from "node:crypto"
import type { RegistryKind } from "../../../../../src/lib/network/model/cache-access.ts"
import { until } from "../../../../support/until.ts"
import { entriesIn, get, HOSTS, keptFile, makePackageCache, sending } from "./package-cache.ts"

const TARBALL = "/left-pad/-/left-pad-1.0.0.tgz"
const KEY = `registry.npmjs.org:80${TARBALL} */*`
const PACKUMENT = "/left-pad"
const BODY = randomBytes(300_000)

describe("a request for what the package cache has", () => {
  it.live("a guest that asks for a file again has the registry asked, too", () =>
    Effect.gen(function*() {
      let count = 0
      const cache = yield* makePackageCache({ handler: (_, response) => response.end(`${++count}`) })
      yield* get(cache, TARBALL)
      assert.strictEqual((yield* get(cache, TARBALL)).body.toString(), "2")
    }))

  const IN_RELEASE = "/debian/dists/trixie/InRelease"
  const wrong: ReadonlyArray<readonly [kind: RegistryKind, path: string, answersAgain: string]> = [
    ["debian", "/debian/pool/main/p/pad/pad_1.0_all.deb", "right"],
    ["debian", IN_RELEASE, "right"],
    ["go", "/example.com/a/@v/v1.0.0.zip", "right"],
    // Over TLS, an index is what the registry says, and clients ask for it again and again.
    ["npm", PACKUMENT, "wrong"]
  ]
  for (const [kind, path, answersAgain] of wrong) {
    it.live(`a kept ${path} that is wrong beneath a right tag is ${answersAgain} for a guest that asks again`, () =>
      Effect.gen(function*() {
        let body = "wrong"
        const cache = yield* makePackageCache({
          kind,
          handler: ({ headers }, response) =>
            response.writeHead(headers["if-none-match"] === "\"one\"" ? 304 : 200, { etag: "\"one\"" })
              .end(headers["if-none-match"] === "\"one\"" ? "" : body)
        })
        yield* get(cache, path)
        yield* keptFile(cache, `${HOSTS[kind]}:80${path} */*`)
        body = "right"
        const options = { kind, handler: sending("away"), directory: cache.directory }
        assert.strictEqual((yield* get(cache, path)).body.toString(), answersAgain)
        yield* until(() => entriesIn(cache.directory) === 1)
        const other = yield* makePackageCache({ ...options, group: "other" })
        other.state.isReachable = false
        yield* Effect.repeat(get(other, path), { until: ({ body: got }) => got.toString() === answersAgain })
      }))
  }

  it.live("a guest that names the Debian index that it has causes a question about that one", () =>
    Effect.gen(function*() {
      const asked: Array<string | undefined> = []
      const cache = yield* makePackageCache({
        kind: "debian",
        handler: ({ headers }, response) => {
          asked.push(headers["if-none-match"])
          response.writeHead(asked.length > 1 ? 304 : 200, { etag: "\"one\"" }).end()
        }
      })
      yield* get(cache, IN_RELEASE)
      yield* keptFile(cache, `deb.debian.org:80${IN_RELEASE} */*`)
      assert.strictEqual((yield* get(cache, IN_RELEASE, { headers: { "if-none-match": "\"one\"" } })).status, 304)
      assert.deepStrictEqual(asked, [undefined, "\"one\""])
    }))

  it.live("a guest that wants the rest of a file while the file is fetched anew gets all of the file", () =>
    Effect.gen(function*() {
      const cache = yield* makePackageCache({ handler: sending(BODY, { "content-length": String(BODY.length) }) })
      yield* get(cache, TARBALL)
      yield* keptFile(cache, KEY)
      const rest = yield* get(cache, TARBALL, { headers: { range: "bytes=10-" } })
      assert.strictEqual(rest.status, 200)
      assert.isTrue(rest.body.equals(BODY))
    }))

  it.live("Maven, which always wants new answers, gets kept files, and the registry is asked about indexes", () =>
    Effect.gen(function*() {
      const [file, metadata] = ["/maven2/a/b/1/b-1.jar", "/maven2/a/b/maven-metadata.xml"]
      const asked: Array<string> = []
      const cache = yield* makePackageCache({
        kind: "maven",
        handler: ({ headers, url }, response) => {
          asked.push(`${url} ${headers["if-none-match"]}`)
          response.writeHead(headers["if-none-match"] === undefined ? 200 : 304, {
            etag: "\"one\"",
            "cache-control": "max-age=300"
          }).end()
        }
      })
      const other = yield* makePackageCache({
        kind: "maven",
        handler: ({ headers, url }, response) => {
          asked.push(`other ${url} ${headers["if-none-match"]}`)
          response.writeHead(headers["if-none-match"] === undefined ? 200 : 304).end()
        },
        directory: cache.directory,
        group: "other"
      })
      for (const front of [cache, other]) {
        for (const path of [file, metadata]) {
          yield* get(front, path, { headers: { "cache-control": "no-cache", pragma: "no-cache" } })
          yield* keptFile(cache, `${HOSTS.maven}:80${path} */*`)
        }
      }
      assert.deepStrictEqual(asked, [`${file} undefined`, `${metadata} undefined`, `other ${metadata} "one"`])
    }))
})
