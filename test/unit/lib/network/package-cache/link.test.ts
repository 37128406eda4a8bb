import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { Readable } from "node:stream"
import { text } from "node:stream/consumers"
import { type replacing, replacingTarballs } from "../../../../../src/lib/network/dialer/package-cache/respond.ts"
import { get, makePackageCache } from "./package-cache.ts"

const FROM = "https://registry.npmjs.org/"
const TO = "http://cache.test/"
const link = { from: FROM, to: TO }

const through = (change: ReturnType<typeof replacing>, found: string, pieceCharacters = found.length) =>
  text(
    Readable.from(Array.from(
      { length: Math.ceil(found.length / pieceCharacters) },
      (_, at) => Buffer.from(found.slice(at * pieceCharacters, (at + 1) * pieceCharacters))
    )).pipe(change)
  )

const linked: ReadonlyArray<readonly [path: string, link: string]> = [
  ["/is-odd", "is-odd/-/is-odd-3.0.1.tgz"],
  ["/is.odd", "is.odd/-/is.odd-10.20.30-beta.1.tgz"],
  ["/@a%2fb", "@a/b/-/b-1.0.0.tgz"],
  ["/@a%2Fb", "@a%2fb/-/b-1.0.0.tgz"],
  ["/@a/b", "@a/b/-/b-1.0.0.tgz"]
]
/** Clients write these into lock files. */
const unlinked: ReadonlyArray<readonly [path: string, link: string]> = [
  ["/esprima-fb", "esprima-fb/-/esprima-fb-3001.0001.0000-dev-harmony-fb.tgz"],
  ["/a", "b/-/b-1.0.0.tgz"],
  ["/a", "a/-/a-1.0.0.tar.gz"],
  ["/a", "a/-/a-v1.0.0.tgz"],
  ["/a", "a/-/a-1.0.0.tgz?x"],
  ["/isxodd", "is-odd/-/is-odd-1.0.0.tgz"],
  ["/is.odd", "isxodd/-/isxodd-1.0.0.tgz"],
  ["/@a%2fb", "b/-/b-1.0.0.tgz"]
]

describe("links of npm documents", () => {
  for (const [path, rest] of linked) {
    it(`of ${path} lead to the cache: ${rest}`, async () => {
      const document = (base: string) => JSON.stringify({ tarball: `${base}${rest}`, readme: FROM })
      assert.strictEqual(await through(replacingTarballs(link, path), document(FROM)), document(TO))
    })
  }
  for (const [path, rest] of unlinked) {
    it(`of ${path} stay as they are: ${rest}`, async () => {
      const document = JSON.stringify({ tarball: `${FROM}${rest}` })
      assert.strictEqual(await through(replacingTarballs(link, path), document), document)
    })
  }

  it("are found where a piece ends, and long texts without a quotation mark are not held", async () => {
    const document = (base: string) =>
      JSON.stringify({ readme: "é".repeat(5_000), one: `${base}a/-/a-1.0.0.tgz`, two: `${base}a/-/a-2.0.0.tgz` })
    for (const pieceCharacters of [1, 7, 40, 1_000]) {
      const change = replacingTarballs(link, "/a")
      assert.strictEqual(await through(change, document(FROM), pieceCharacters), document(TO))
    }
    const change = replacingTarballs(link, "/a")
    change.write("x".repeat(10_000))
    assert.isAtLeast((change.read() as Buffer).length, 8_000)
  })

  it.live("change for the client of the link alone, and tarballs stay byte for byte", () =>
    Effect.gen(function*() {
      const body = `{"tarball":"${FROM}a/-/a-1.0.0.tgz"}`
      const cache = yield* makePackageCache({
        link: { ...link, client: "pnpm/" },
        handler: (_, response) => response.end(body)
      })
      const got = (path: string, client: string) =>
        Effect.map(get(cache, path, { headers: { "user-agent": client } }), (answer) => answer.body.toString())
      assert.strictEqual(yield* got("/a", "npm/11.0.0 node/v20.0.0"), body)
      assert.strictEqual(yield* got("/a", "pnpm/10.0.0 npm/? node/v20.0.0"), body.replace(FROM, TO))
      assert.strictEqual(yield* got("/a/-/a-1.0.0.tgz", "pnpm/10.0.0"), body)
    }))
})
