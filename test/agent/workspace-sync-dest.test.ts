import { assert } from "@effect/vitest"
import { Effect } from "effect"
import { execFileSync } from "node:child_process"
import * as fs from "node:fs"
import * as path from "node:path"
import { readPushed } from "../../src/lib/seeding/model/pushed.ts"
import { replayPushed } from "../../src/lib/seeding/push.ts"
import { setAttribute } from "../support/files/attributes.ts"
import { withAgent } from "./agent.ts"
import { seeded, write } from "./pushed.ts"

withAgent("a push to a directory of the workspace", (it) => {
  it.effect("sync push --dest copies to a directory of the workspace, and changes nothing outside of it", () =>
    Effect.gen(function*() {
      const { channel, disk, host, live, names, push, read, state } = yield* seeded("at-a-place")
      const other = path.join(path.dirname(host), "other")
      write(other, { "edited": "o\n", "in/deep": "d\n", "caf\u00e9": "c\n" })
      const to = (dest: string, options: Parameters<typeof push>[0] = {}) =>
        push({ sourcePath: other, dest, ...options })
      const pushed = yield* to("/workspace/new/place/")
      assert.deepStrictEqual(pushed.files.map(({ change, path }) => `${change} ${path}`).sort(), [
        "added new/place/café",
        "added new/place/edited",
        "added new/place/in/deep"
      ])
      assert.deepStrictEqual([pushed.missingOnHostCount, read("edited"), read("new/place/edited")], [0, "1\n", "o\n"])
      assert.deepStrictEqual(yield* names, [])
      assert.strictEqual((yield* to("new/place")).filesPushed, 0)
      // Files outside of the directory are not taken for gone.
      fs.rmSync(path.join(other, "in"), { recursive: true })
      execFileSync("mkfifo", [path.join(other, "fifo")])
      write(live, { "new/place/edited": "guest\n", "new/place/own": "own\n" })
      write(other, { "edited": "2\n" })
      const left = yield* to("new/place")
      assert.deepStrictEqual([
        left.missingOnHost,
        left.conflicts.map((one) => one.path),
        left.skipped.map((one) => one.path)
      ], [
        ["new/place/in/deep"],
        ["new/place/edited"],
        ["new/place/fifo"]
      ])
      const removed = yield* to("new/place", { delete: true, force: true })
      assert.deepStrictEqual(removed.files.map(({ change, path }) => `${change} ${path}`).sort(), [
        "deleted new/place/in/deep",
        "modified new/place/edited"
      ])
      assert.deepStrictEqual(fs.readdirSync(path.join(live, "new/place")).sort(), ["café", "edited", "own"])
      assert.strictEqual(read("dir/deep"), "d\n")
      // A part of the seed can be pushed to any place by name, but none of the directory's files may be removed by mistake.
      write(host, { "dir/deep": "2\n" })
      assert.deepStrictEqual((yield* push({ sourcePath: path.join(host, "dir"), dest: "dir" })).files, [{
        path: "dir/deep",
        change: "modified"
      }])
      const mistaken = yield* Effect.flip(to("dir", { delete: true }))
      assert.include(mistaken.message, "has none of the files that the workspace began with")
      fs.rmSync(live, { recursive: true })
      execFileSync("cp", ["-a", path.join(disk, "workspace"), live])
      yield* replayPushed(channel, yield* readPushed(state), { root: live, path: "" })
      assert.deepStrictEqual([read("new/place/edited"), read("dir/deep"), yield* names], ["2\n", "2\n", []])
    }))

  it.effect("sync push --dest names what copies lack by their paths in the workspace", () =>
    Effect.gen(function*() {
      const { host, push } = yield* seeded("losses-at-a-place")
      const other = path.join(path.dirname(host), "other")
      write(other, { "tool": "t\n", "caf\u00e9": "n\n" })
      fs.chmodSync(path.join(other, "tool"), 0o4755)
      setAttribute(path.join(other, "caf\u00e9"))
      const { warnings } = yield* push({ sourcePath: other, dest: "bin/new" })
      assert.deepStrictEqual(warnings.map(({ message }) => message.split(": ")[1]), ["bin/new/tool", "bin/new/café"])
    }))

  it.effect("sync push --dest stays beneath /workspace, and replaces no link and no file on the way", () =>
    Effect.gen(function*() {
      const { host, live, push } = yield* seeded("at-a-wrong-place")
      fs.mkdirSync(path.join(live, "../outside"))
      fs.symlinkSync("../outside", path.join(live, "out"))
      const refused = (dest: string) =>
        Effect.map(Effect.flip(push({ sourcePath: host, dest, force: true })), ({ message }) => message)
      for (const dest of ["..", "a/../..", "/etc", "/workspace2", "/workspace/../etc", "/"]) {
        assert.include(yield* refused(dest), "must be a directory beneath /workspace", dest)
      }
      assert.include(yield* refused("x".repeat(256)), "more than 255 bytes")
      for (const dest of [".git/hooks", "a/.GIT"]) assert.include(yield* refused(dest), "git directory", dest)
      for (const dest of ["out", "out/deep", "link", "link/deep"]) {
        assert.include(yield* refused(dest), "the workspace has a symlink there", dest)
      }
      for (const dest of ["same", "same/deep"]) assert.include(yield* refused(dest), "has a file there", dest)
      assert.deepStrictEqual(fs.readdirSync(path.join(live, "../outside")), [])
      assert.strictEqual(fs.readlinkSync(path.join(live, "link")), "same")
    }))
})
