import { assert } from "@effect/vitest"
import { Effect, Stream } from "effect"
import * as fs from "node:fs"
import { Agent, withAgent } from "./agent.ts"
import { collect, start } from "./run.ts"

const text = (content: string) => Stream.make(Buffer.from(content))

/** A folder that user 1000 of the agent's owns, and one file of root's in it. */
const prepared = (name: string) =>
  Effect.gen(function*() {
    const channel = yield* Agent.connect()
    const { folder } = yield* Agent
    const root = `${folder}/${name}`
    fs.mkdirSync(`${root}/dir`, { recursive: true })
    const script = `chown -R 1000:1000 "$1" && echo root >"$1/roots"`
    const { exit } = yield* collect(yield* start(channel, ["sh", "-c", script, "sh", root]))
    assert.deepInclude(exit, { _tag: "exited", code: 0 })
    const owner = (path: string) => {
      const { gid, uid } = fs.lstatSync(`${root}/${path}`)
      return `${uid}:${gid}`
    }
    assert.notStrictEqual(owner("dir"), owner("roots"))
    return { channel, root, owner, theirs: owner("dir"), roots: owner("roots") }
  })

withAgent("in a directory of another user", (it) => {
  it.effect("a written file and the directories on its way get the owner of the directory above", () =>
    Effect.gen(function*() {
      const { channel, owner, root, roots, theirs } = yield* prepared("write")
      yield* channel.write({ root, path: "a/b/new", mode: 0o600, createParents: true }, text("x"))
      yield* channel.write({ root, path: "dir/appended", mode: 0o600, append: true }, text("x"))
      yield* channel.write({ root, path: "dir/appended", mode: 0o600, append: true }, text("y"))
      yield* channel.write({ root, path: "dir/whole", mode: 0o4755 }, text("x"))
      for (const path of ["a", "a/b", "a/b/new", "dir/appended", "dir/whole"]) {
        assert.strictEqual(owner(path), theirs, path)
      }
      assert.strictEqual(fs.statSync(`${root}/dir/whole`).mode & 0o7777, 0o4755)
      assert.strictEqual(fs.readFileSync(`${root}/dir/appended`, "utf8"), "xy")
      yield* channel.write({ root, path: "roots", mode: 0o644 }, text("replaced"))
      assert.strictEqual(owner("roots"), roots, "a file that is replaced keeps its owner")
    }))

  it.effect("files, links and directories of a change get the owner of the directory above", () =>
    Effect.gen(function*() {
      const { channel, owner, root, roots, theirs } = yield* prepared("change")
      const { ctimeNs, ino, mtimeNs, size } = fs.lstatSync(`${root}/roots`, { bigint: true })
      yield* channel.changeFiles(root, [
        { _tag: "take", path: Buffer.from("roots"), seen: { ino, size: Number(size), mtimeNs, ctimeNs } },
        { _tag: "file", path: Buffer.from("a/b/new"), content: Buffer.from("x"), mode: 0o755, taken: undefined },
        { _tag: "link", path: Buffer.from("c/link"), target: Buffer.from("../a") },
        { _tag: "file", path: Buffer.from("roots"), content: Buffer.from("x"), mode: undefined, taken: 0 }
      ])
      for (const path of ["a", "a/b", "a/b/new", "c", "c/link"]) assert.strictEqual(owner(path), theirs, path)
      assert.strictEqual(fs.statSync(`${root}/a/b/new`).mode & 0o7777, 0o755)
      assert.strictEqual(owner("roots"), roots, "a file that is replaced keeps its owner")
      assert.deepStrictEqual(fs.readdirSync(root).sort(), ["a", "c", "dir", "roots"])
    }))

  it.effect("a change that fails leaves nothing behind", () =>
    Effect.gen(function*() {
      const { channel, owner, root, theirs } = yield* prepared("fails")
      const failure = yield* Effect.flip(channel.changeFiles(root, [
        { _tag: "file", path: Buffer.from("a/b/new"), content: Buffer.from("x"), mode: undefined, taken: undefined },
        { _tag: "link", path: Buffer.from("roots"), target: Buffer.from("x") }
      ]))
      assert.include(failure.message, "EEXIST")
      assert.deepStrictEqual(fs.readdirSync(root).sort(), ["dir", "roots"])
      assert.strictEqual(owner("dir"), theirs)
    }))
})
