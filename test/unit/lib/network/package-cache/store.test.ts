import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { randomBytes } from "node:crypto"
import * as fs from "node:fs"
import type { ServerResponse } from "node:http"
import { join } from "node:path"
import { fileOf, Store } from "../../../../../src/lib/network/dialer/package-cache/store.ts"
import { until } from "../../../../support/until.ts"
import { get, keptFile, makePackageCache, temporary } from "./package-cache.ts"

const tarball = (name: string) => `/${name}/-/${name}-1.0.0.tgz`
const keyOf = (name: string) => `registry.npmjs.org:80${tarball(name)} */*`
const MIB = 1024 * 1024
const bytes = randomBytes(MIB)
const handler = (_: unknown, response: ServerResponse) => void response.end(bytes)

const kept = (cache: { readonly directory: string }, name: string) => keptFile(cache, keyOf(name))

/** A cache of another guest on the same folder, whose registry is away. */
const offline = (directory: string) =>
  Effect.tap(
    makePackageCache({ handler, directory, group: "offline" }),
    ({ state }) => Effect.sync(() => (state.isReachable = false))
  )

const noSpace = () => Object.assign(new Error("ENOSPC"), { code: "ENOSPC" })

describe("the files of the package cache", () => {
  it.live("a damaged body is cut for the client and removed, and the next request fetches it", () =>
    Effect.gen(function*() {
      const cache = yield* makePackageCache({ handler })
      yield* get(cache, tarball("a"))
      const file = yield* kept(cache, "a")
      const fd = fs.openSync(file, "r+")
      fs.writeSync(fd, "damage", 100)
      fs.closeSync(fd)
      const other = yield* makePackageCache({ handler, directory: cache.directory, group: "other" })
      assert.isTrue((yield* get(other, tarball("a"))).isCut)
      assert.isTrue((yield* get(other, tarball("a"))).body.equals(bytes))
      assert.lengthOf(other.asked, 1)
    }))

  it.live("a file that was cut, or that belongs to another URL, is no entry", () =>
    Effect.gen(function*() {
      const cache = yield* makePackageCache({ handler })
      for (const name of ["a", "b"]) yield* get(cache, tarball(name))
      const [a, b] = [yield* kept(cache, "a"), yield* kept(cache, "b")]
      fs.copyFileSync(b, a)
      fs.truncateSync(b, 1_000)
      const other = yield* offline(cache.directory)
      for (const name of ["a", "b"]) assert.strictEqual((yield* get(other, tarball(name))).status, 502)
      assert.isFalse(fs.existsSync(a))
    }))

  it.live("only the owner can read the files", () =>
    Effect.gen(function*() {
      const cache = yield* makePackageCache({ handler })
      yield* get(cache, tarball("a"))
      const file = yield* kept(cache, "a")
      assert.strictEqual(fs.statSync(file).mode & 0o777, 0o600)
      assert.strictEqual(fs.statSync(join(file, "..")).mode & 0o777, 0o700)
    }))

  it.live("the least recently used entries are evicted above the limit", () =>
    Effect.gen(function*() {
      const cache = yield* makePackageCache({ handler, maxBytes: 5 * MIB })
      for (const [index, name] of ["a", "b", "c", "d"].entries()) {
        yield* get(cache, tarball(name))
        fs.utimesSync(yield* kept(cache, name), index + 1, index + 1)
      }
      yield* get(cache, tarball("e"))
      yield* kept(cache, "e")
      const left = () =>
        ["a", "b", "c", "d", "e"].filter((name) => fs.existsSync(join(cache.directory, fileOf(keyOf(name)))))
      yield* until(() => left().length < 5)
      assert.deepStrictEqual(left(), ["b", "c", "d", "e"])
    }))

  it.live("unfinished files of a process that is gone are removed at the start, and those of others stay", () =>
    Effect.gen(function*() {
      const folder = yield* temporary
      const store = yield* Effect.promise(() => Store.open(folder, { maxBytes: MIB, reserveBytes: 0 }))
      const draft = yield* Effect.promise(() => store.create("mine", 0))
      const unfinished = join(folder, "unfinished")
      const mine = fs.readdirSync(unfinished)
      fs.writeFileSync(join(unfinished, "1_1_no-boot_00"), "")
      yield* Effect.promise(() => Store.open(folder, { maxBytes: MIB, reserveBytes: 0 }))
      assert.deepStrictEqual(fs.readdirSync(unfinished), mine)
      yield* Effect.promise(() => draft.file.close())
    }))

  it.live("two stores on one folder see each other's entries", () =>
    Effect.gen(function*() {
      const folder = yield* temporary
      const open = () => Effect.promise(() => Store.open(folder, { maxBytes: MIB, reserveBytes: 0 }))
      const [one, two] = [yield* open(), yield* open()]
      yield* Effect.promise(async () => {
        const drafts = [await one.create("key", 0), await two.create("key", 0)]
        for (const draft of drafts) await draft.write(Buffer.from("body"))
        for (const draft of drafts) {
          await draft.commit({ key: "key" }, 1)
          await draft.file.close()
        }
        const entry = await two.get("key")
        assert.strictEqual(entry?.bodyBytes, 4)
        await entry?.close()
      })
    }))

  it.live("a file system without room keeps nothing, and the client gets all bytes", () =>
    Effect.gen(function*() {
      const directory = yield* temporary
      const cache = yield* makePackageCache({ handler, directory, maxBytes: 64 * MIB })
      const FileHandle = yield* Effect.promise(async () => {
        const file = await fs.promises.open(join(directory, "probe"), "w")
        await file.close()
        return Object.getPrototypeOf(file) as { write: (...args: Array<unknown>) => unknown }
      })
      const { write } = FileHandle
      let count = 0
      FileHandle.write = function(...args) {
        if (++count > 3) throw noSpace()
        return write.apply(this, args)
      }
      try {
        const [one, two] = yield* Effect.all([get(cache, tarball("a")), get(cache, tarball("a"))], { concurrency: 2 })
        assert.isTrue(one.body.equals(bytes) && two.body.equals(bytes))
      } finally {
        FileHandle.write = write
      }
      assert.isAbove(count, 3)
      assert.isFalse(fs.existsSync(join(directory, fileOf(keyOf("a")))))
      assert.deepStrictEqual(fs.readdirSync(join(directory, "unfinished")), [])
    }))
})
