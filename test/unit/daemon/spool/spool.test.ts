import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Fiber, type Scope, Stream } from "effect"
import { TestClock } from "effect/testing"
import { createHash } from "node:crypto"
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import { gunzipSync, gzipSync } from "node:zlib"
import type { SpoolPutEvent } from "../../../../src/contract/rows/spool.ts"
import { callerIdentity, type Identity } from "../../../../src/contract/wire/identity.ts"
import { makeSpool, type Spool } from "../../../../src/daemon/spool/spool.ts"

const sha256 = (content: string | Uint8Array) => createHash("sha256").update(content).digest("hex")
const folderEntry = (name: string) => ["d", name, 0o755, 1_000_000]
const fileEntry = (name: string, content: string | Uint8Array, mode = 0o644) => [
  ...["f", name, mode, 1_600_000_000_123],
  ...[Buffer.from(content).length, sha256(content)]
]
const linkEntry = (name: string, target: string) => ["l", name, 0o777, 1_000_000, target]

const head = (manifest: unknown) => {
  const packed = gzipSync(typeof manifest === "string" ? manifest : JSON.stringify(manifest))
  const length = Buffer.alloc(4)
  length.writeUInt32BE(packed.length)
  return Buffer.concat([length, packed])
}
const manifest = (entries: ReadonlyArray<unknown>, more: object = {}) => ({ format: 1, entries, ...more })

type Service = Spool["Service"]

/** Everything beneath a folder. */
const names = (folder: string): ReadonlyArray<string> =>
  fs.readdirSync(folder, { recursive: true, encoding: "utf8" }).sort()

const spooled = <A, E>(use: (spool: Service, folder: string) => Effect.Effect<A, E, Scope.Scope>) =>
  Effect.gen(function*() {
    const folder = yield* Effect.acquireRelease(
      Effect.sync(() => fs.mkdtempSync(path.join(os.tmpdir(), "pyro-spool-"))),
      (made) => Effect.sync(() => fs.rmSync(made, { recursive: true }))
    )
    return yield* use(yield* makeSpool(folder), folder)
  })

/** Sends an input in pieces, so that each boundary may be within each part. */
const put = (spool: Service, bytes: Uint8Array, pieceBytes = 7) =>
  Stream.runCollect(spool.put(
    Stream.fromIterable(
      Array.from(
        { length: Math.ceil(bytes.length / pieceBytes) },
        (_, at) => bytes.subarray(at * pieceBytes, (at + 1) * pieceBytes)
      )
    )
  ))
const idOf = (events: ReadonlyArray<SpoolPutEvent>) => {
  const last = events.at(-1)
  if (last?._tag !== "Kept") throw new Error("nothing was kept")
  return last.id
}
const wantedOf = (events: ReadonlyArray<SpoolPutEvent>) =>
  events.flatMap((event) => event._tag === "Wanted" ? event.entries : [])

const tree = [
  folderEntry(""),
  fileEntry("a", "first"),
  fileEntry("empty", ""),
  folderEntry("sub"),
  fileEntry("sub/run", "second", 0o755),
  linkEntry("sub/link", "../a")
]
const whole = Buffer.concat([head(manifest(tree, { facts: { told: 1 } })), gzipSync("firstsecond")])

const refusals: Readonly<Record<string, Uint8Array>> = {
  "no manifest": Buffer.alloc(0),
  "a cut manifest": whole.subarray(0, 20),
  "a manifest that is no gzip": Buffer.from([0, 0, 0, 3, 1, 2, 3]),
  "a manifest of 4 GiB": Buffer.from([255, 255, 255, 255, 0]),
  "a manifest that is a bomb": head(" ".repeat(300 * 1024 * 1024)),
  "another format": head({ format: 2, entries: [folderEntry("")] }),
  "no entries": head(manifest([])),
  "no tree": head(manifest([fileEntry("a", "")])),
  "a link as the tree": head(manifest([linkEntry("", "/etc")])),
  "a file with entries": head(manifest([fileEntry("", ""), fileEntry("a", "")])),
  ...Object.fromEntries(
    ["..", "../a", "a/../b", ".", "./a", "/etc/passwd", "", "a//b", "a/", "x\0y", "\u0100", "n".repeat(256)].map((
      name
    ) => [`the name ${JSON.stringify(name.slice(0, 20))}`, head(manifest([folderEntry(""), fileEntry(name, "")]))])
  ),
  "a path of 4 KiB": head(manifest([folderEntry(""), fileEntry("n/".repeat(2_048) + "n", "")])),
  "an entry without its directory": head(manifest([folderEntry(""), fileEntry("sub/a", "")])),
  "an entry beneath a link": head(manifest([folderEntry(""), linkEntry("sub", "/etc"), fileEntry("sub/a", "")])),
  "an entry beneath a file": head(manifest([folderEntry(""), fileEntry("sub", ""), fileEntry("sub/a", "")])),
  "two equal names": head(manifest([folderEntry(""), fileEntry("a", ""), linkEntry("a", "b")])),
  "a device": head(manifest([folderEntry(""), ["b", "a", 0o644, 0]])),
  "a set-user-ID file": head(manifest([folderEntry(""), fileEntry("a", "", 0o4755)])),
  "a size below zero": head(manifest([folderEntry(""), ["f", "a", 0o644, 0, -1, sha256("")]])),
  "sizes beyond a number": head(manifest([
    ...[folderEntry(""), ["f", "a", 0o644, 0, 2 ** 53 - 1, sha256("")]],
    ["f", "b", 0o644, 0, 2 ** 53 - 1, sha256("")]
  ])),
  "a digest that is a path": head(manifest([folderEntry(""), ["f", "a", 0o644, 0, 1, "../../x"]])),
  "a time that is no number": head(manifest([folderEntry(""), ["f", "a", 0o644, "now", 0, sha256("")]])),
  "an empty target": head(manifest([folderEntry(""), linkEntry("a", "")])),
  "contents that end early": Buffer.concat([head(manifest(tree)), gzipSync("firstsec")]),
  "contents that are cut": Buffer.concat([head(manifest(tree)), gzipSync("firstsecond").subarray(0, 15)]),
  "no contents": head(manifest(tree)),
  "more contents": Buffer.concat([head(manifest(tree)), gzipSync("firstsecond and more")]),
  "another content": Buffer.concat([head(manifest(tree)), gzipSync("firstsecone")]),
  "contents that are no gzip": Buffer.concat([head(manifest(tree)), Buffer.from("firstsecond")]),
  "contents that are a bomb": Buffer.concat([head(manifest(tree)), gzipSync(Buffer.alloc(64 * 1024 * 1024))])
}

const tenant = (name: string): Identity => ({
  tenant: name,
  role: "user",
  token: "t",
  name: "n",
  address: "192.0.2.1"
})
const as = (name: string) => Effect.provideService(callerIdentity, tenant(name))

describe("the spool of files of other machines", () => {
  it.effect("keeps a tree for one request, and removes it then", () =>
    spooled((spool, folder) =>
      Effect.gen(function*() {
        const events = yield* put(spool, whole)
        assert.deepStrictEqual(wantedOf(events), [1, 4])
        const id = idOf(events)
        yield* Effect.scoped(Effect.gen(function*() {
          const { facts, path: root } = yield* spool.open(id)
          assert.deepStrictEqual(facts, { told: 1 })
          assert.deepStrictEqual(names(root), ["a", "empty", "sub", "sub/link", "sub/run"])
          assert.strictEqual(fs.readFileSync(path.join(root, "sub/run"), "utf8"), "second")
          assert.strictEqual(fs.statSync(path.join(root, "sub/run")).mode & 0o7777, 0o755)
          assert.strictEqual(fs.statSync(path.join(root, "a")).mtimeMs, 1_600_000_000_123)
          assert.strictEqual(fs.readlinkSync(path.join(root, "sub/link")), "../a")
          // One request alone.
          assert.strictEqual((yield* Effect.flip(Effect.scoped(spool.open(id))))._tag, "InvalidRequest")
        }))
        yield* Effect.flip(Effect.scoped(spool.open(id)))
        assert.deepStrictEqual(names(path.join(folder, "trees")), [])
      })
    ))

  it.effect("asks for no content that it has, and never for one of another tenant", () =>
    spooled((spool) =>
      Effect.gen(function*() {
        yield* put(spool, whole)
        const again = yield* put(spool, head(manifest(tree)))
        assert.deepStrictEqual(wantedOf(again), [])
        yield* Effect.scoped(Effect.map(spool.open(idOf(again)), ({ path: root }) => {
          assert.strictEqual(fs.readFileSync(path.join(root, "a"), "utf8"), "first")
          assert.strictEqual(fs.statSync(path.join(root, "a")).nlink, 1)
        }))
        for (const name of ["one", "other"]) {
          assert.deepStrictEqual(wantedOf(yield* as(name)(put(spool, whole))), [1, 4])
        }
      })
    ))

  it.effect("belongs to its tenant", () =>
    spooled((spool) =>
      Effect.gen(function*() {
        const id = idOf(yield* as("one")(put(spool, whole)))
        yield* Effect.flip(as("other")(Effect.scoped(spool.open(id))))
        yield* Effect.flip(Effect.scoped(spool.open(id)))
        assert.isFalse(yield* as("other")(spool.drop(id)))
        assert.isTrue(yield* as("one")(spool.drop(id)))
      })
    ))

  for (const [name, bytes] of Object.entries(refusals)) {
    it.effect(`refuses ${name}, and leaves nothing`, () =>
      spooled((spool, folder) =>
        Effect.gen(function*() {
          const error = yield* Effect.flip(put(spool, bytes, 65_536))
          assert.include(["InvalidRequest", "NoSpace"], error._tag)
          const trees = path.join(folder, "trees")
          assert.deepStrictEqual(fs.existsSync(trees) ? names(trees) : [], [])
        })
      ))
  }

  it.effect("leaves nothing of a client that goes", () =>
    spooled((spool, folder) =>
      Effect.gen(function*() {
        const isAsked = yield* Deferred.make<void>()
        const input = Stream.concat(Stream.make(whole.subarray(0, -4)), Stream.never)
        const going = yield* Effect.forkChild(
          Stream.runForEach(spool.put(input), () => Deferred.succeed(isAsked, undefined))
        )
        yield* Deferred.await(isAsked)
        assert.isNotEmpty(names(path.join(folder, "trees")))
        yield* Fiber.interrupt(going)
        assert.deepStrictEqual(names(path.join(folder, "trees")), [])
      })
    ))

  it.effect("removes files that nobody uses for ten minutes", () =>
    spooled((spool, folder) =>
      Effect.gen(function*() {
        const id = idOf(yield* put(spool, whole))
        yield* TestClock.adjust("9 minutes")
        assert.isNotEmpty(names(path.join(folder, "trees")))
        yield* TestClock.adjust("2 minutes")
        assert.deepStrictEqual(names(path.join(folder, "trees")), [])
        yield* Effect.flip(Effect.scoped(spool.open(id)))
      })
    ))

  it.effect("keeps what a request has written until its client has it", () =>
    spooled((spool, folder) =>
      Effect.gen(function*() {
        const id = "0123456789abcdef".repeat(2)
        const content = Buffer.concat([Buffer.from("begin"), Buffer.alloc(200_000), Buffer.from("end")])
        yield* Effect.scoped(Effect.map(spool.make(id), (file) => fs.writeFileSync(file, content)))
        // An id has one file.
        yield* Effect.flip(Effect.scoped(spool.make(id)))
        // It is no source.
        yield* Effect.flip(Effect.scoped(spool.open(id)))
        const events = yield* Stream.runCollect(spool.take(id))
        const bytes = Buffer.concat(events.flatMap((event) => event._tag === "Output" ? [event.bytes] : []))
        assert.isTrue(gunzipSync(bytes).equals(content))
        assert.deepStrictEqual(events.at(0), { _tag: "Opened", sizeBytes: 200_008, dataBytes: 65_536 + 3_400 })
        assert.deepStrictEqual(events.at(-1), { _tag: "Ended", sizeBytes: 200_008, sha256: sha256(content) })
        assert.isTrue(yield* spool.drop(id))
        assert.deepStrictEqual(names(path.join(folder, "trees")), [])
        // A request that wrote nothing leaves nothing.
        yield* Effect.scoped(spool.make(id))
        assert.deepStrictEqual(names(path.join(folder, "trees")), [])
      })
    ))
})
