import { assert } from "@effect/vitest"
import { Effect, Result, Stream } from "effect"
import { randomBytes } from "node:crypto"
import {
  chmodSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  symlinkSync,
  writeFileSync
} from "node:fs"
import type { GuestChannel } from "../../src/lib/guest-channel/GuestChannel.ts"
import { Agent, withAgent } from "./agent.ts"

const folder = (name: string) =>
  Effect.map(Agent, ({ folder }) => {
    mkdirSync(`${folder}/${name}`)
    return `${folder}/${name}`
  })
const version = (channel: GuestChannel, root: string, path: string) =>
  Effect.scoped(Effect.map(channel.openFile({ root, path }), ({ state }) => state.version))
const put = (
  channel: GuestChannel,
  root: string,
  path: string,
  text: string,
  more: { readonly expected?: string; readonly exclusive?: boolean; readonly follow?: boolean } = {}
) => channel.writeWithVersion({ root, path, mode: 0, ...more }, Stream.make(Buffer.from(text)))

withAgent("versions of files", (it) => {
  it.effect("a file's version comes with mode, size and content", () =>
    Effect.gen(function*() {
      const channel = yield* Agent.connect()
      const root = yield* folder("told")
      const content = randomBytes(3_000_000)
      writeFileSync(`${root}/file`, content)
      chmodSync(`${root}/file`, 0o750)
      const { content: stream, state } = yield* channel.openFile({ root, path: "file" })
      const read = Buffer.concat(yield* Stream.runCollect(stream))
      assert.isTrue(read.equals(content))
      assert.deepStrictEqual([state.mode, state.size], [0o750, 3_000_000])
      assert.strictEqual(yield* version(channel, root, "file"), state.version)
      const part = yield* channel.openFile({ root, path: "file", offset: 2_999_990, limit: 4 })
      assert.strictEqual(part.state.version, state.version)
      assert.strictEqual(Buffer.concat(yield* Stream.runCollect(part.content)).length, 4)
      writeFileSync(`${root}/empty`, "")
      assert.strictEqual((yield* channel.openFile({ root, path: "empty" })).state.size, 0)
    }))

  it.effect("every change of a file changes its version", () =>
    Effect.gen(function*() {
      const channel = yield* Agent.connect()
      const root = yield* folder("changed")
      const path = `${root}/file`
      const seen = new Set<string>()
      const changes = [
        () => writeFileSync(path, "two"), // in place, of the same size
        () => writeFileSync(path, "thr"),
        () => chmodSync(path, 0o600),
        () => {
          writeFileSync(`${root}/other`, "for")
          renameSync(`${root}/other`, path)
        }
      ]
      for (let round = 0; round < 10; round++) {
        const written = yield* put(channel, root, "file", "one")
        assert.strictEqual(written.created, round === 0)
        seen.add(written.version)
        for (const change of changes) {
          change()
          seen.add(yield* version(channel, root, "file"))
        }
      }
      assert.strictEqual(seen.size, 10 * (changes.length + 1))
    }))

  it.effect("a write with an old version is refused and leaves nothing", () =>
    Effect.gen(function*() {
      const channel = yield* Agent.connect()
      const root = yield* folder("expected")
      const first = yield* put(channel, root, "file", "one")
      assert.deepStrictEqual([first.created, first.mode, first.size], [true, 0o644, 3])
      chmodSync(`${root}/file`, 0o755)
      const stale = yield* Effect.flip(put(channel, root, "file", "lost", { expected: first.version }))
      assert.include(stale.message, "ESTALE")
      const gone = yield* Effect.flip(put(channel, root, "gone", "lost", { expected: first.version }))
      assert.include(gone.message, "ESTALE")
      const second = yield* put(channel, root, "file", "second", {
        expected: yield* version(channel, root, "file")
      })
      assert.deepStrictEqual([second.created, second.mode, second.size], [false, 0o755, 6])
      assert.strictEqual(yield* version(channel, root, "file"), second.version)
      assert.include((yield* Effect.flip(put(channel, root, "file", "x", { exclusive: true }))).message, "EEXIST")
      assert.strictEqual(readFileSync(`${root}/file`, "utf8"), "second")
      assert.deepStrictEqual(readdirSync(root), ["file"])
    }))

  it.effect("one of many racing writers with one version succeeds", () =>
    Effect.gen(function*() {
      const channel = yield* Agent.connect()
      const root = yield* folder("race")
      let known = (yield* put(channel, root, "file", "start")).version
      for (let round = 0; round < 20; round++) {
        const writers = Array.from({ length: 8 }, (_, i) =>
          Effect.result(put(channel, root, "file", `${round}.${i}`, { expected: known })))
        const results = yield* Effect.all(writers, { concurrency: "unbounded" })
        const won = results.flatMap((result, i) =>
          Result.isSuccess(result) ? [{ i, ...result.success }] : []
        )
        assert.strictEqual(won.length, 1)
        for (const result of results) if (Result.isFailure(result)) assert.include(result.failure.message, "ESTALE")
        assert.strictEqual(readFileSync(`${root}/file`, "utf8"), `${round}.${won[0]!.i}`)
        known = won[0]!.version
      }
      const makers = Array.from({ length: 8 }, (_, i) =>
        Effect.result(put(channel, root, "new", `${i}`, { exclusive: true })))
      const made = yield* Effect.all(makers, { concurrency: "unbounded" })
      assert.strictEqual(made.filter(Result.isSuccess).length, 1)
      assert.deepStrictEqual(readdirSync(root).sort(), ["file", "new"])
    }))

  it.effect("the version of a followed link is its target's", () =>
    Effect.gen(function*() {
      const channel = yield* Agent.connect()
      const root = yield* folder("links")
      mkdirSync(`${root}/a/b`, { recursive: true })
      mkdirSync(`${root}/d`)
      writeFileSync(`${root}/a/target`, "old")
      chmodSync(`${root}/a/target`, 0o711)
      symlinkSync("../../a/b/../target", `${root}/a/b/link`)
      symlinkSync("../a/b", `${root}/d/elsewhere`)
      const written = yield* put(channel, root, "d/elsewhere/link", "new", { follow: true })
      assert.deepStrictEqual([written.created, written.mode], [false, 0o711])
      assert.strictEqual(readFileSync(`${root}/a/target`, "utf8"), "new")
      assert.include((yield* Effect.flip(put(channel, root, "a/b/link", "x"))).message, "ELOOP")
      symlinkSync("made", `${root}/dangling`)
      assert.isTrue((yield* put(channel, root, "dangling", "made", { follow: true })).created)
      assert.strictEqual(readFileSync(`${root}/made`, "utf8"), "made")
      symlinkSync("round", `${root}/round`)
      assert.include((yield* Effect.flip(put(channel, root, "round", "x", { follow: true }))).message, "ELOOP")
      writeFileSync(`${root}/../outside`, "untouched")
      symlinkSync("../outside", `${root}/out`)
      symlinkSync(`${root}/made`, `${root}/absolute`)
      symlinkSync("..", `${root}/up`)
      symlinkSync("up/outside", `${root}/through`)
      for (const path of ["out", "absolute", "up/outside", "through"]) {
        const refused = yield* Effect.flip(put(channel, root, path, "x", { follow: true }))
        assert.include(refused.message, "EXDEV", path)
      }
      assert.strictEqual(readFileSync(`${root}/../outside`, "utf8"), "untouched")
      assert.strictEqual(statSync(`${root}/made`).size, 4)
    }))
})
