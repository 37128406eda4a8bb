import { assert } from "@effect/vitest"
import { Effect } from "effect"
import { execFileSync } from "node:child_process"
import * as fs from "node:fs"
import * as path from "node:path"
import { named } from "../../src/contract/text/names.ts"
import { callerProject } from "../../src/contract/wire/caller-project.ts"
import { readPushed } from "../../src/lib/seeding/model/pushed.ts"
import { replayPushed } from "../../src/lib/seeding/push.ts"
import { setAttribute } from "../support/files/attributes.ts"
import { ODD_NAMES, oddNames } from "../support/odd-names.ts"
import { withAgent } from "./agent.ts"
import { seeded, write } from "./pushed.ts"

withAgent("a push", (it) => {
  it.effect("sync push copies the host's changes, which become part of the seed", () =>
    Effect.gen(function*() {
      const { host, live, push, read, state } = yield* seeded("brings")
      const nothing = yield* push()
      assert.deepStrictEqual([nothing.filesPushed, nothing.conflicts, nothing.skipped], [0, [], []])
      write(host, { "edited": "2\n", "new/file": "n\n", "x.o": "ignored" })
      fs.chmodSync(path.join(host, "dir/deep"), 0o755)
      fs.rmSync(path.join(host, "link"))
      fs.symlinkSync("edited", path.join(host, "link"))
      execFileSync("mkfifo", [path.join(host, "fifo")])
      const pushed = yield* push()
      assert.deepStrictEqual([...pushed.files].sort((one, other) => one.path < other.path ? -1 : 1), [
        { path: "dir/deep", change: "modified" },
        { path: "edited", change: "modified" },
        { path: "link", change: "modified" },
        { path: "new/file", change: "added" }
      ])
      assert.deepStrictEqual([read("edited"), read("new/file"), read("dir/deep")], ["2\n", "n\n", "d\n"])
      assert.strictEqual(fs.statSync(path.join(live, "dir/deep")).mode & 0o777, 0o755)
      assert.strictEqual(fs.readlinkSync(path.join(live, "link")), "edited")
      assert.isFalse(fs.existsSync(path.join(live, "x.o")))
      const baseline = yield* readPushed(state)
      const edited = baseline.entries.get("edited")
      assert.strictEqual(edited?._tag === "file" ? (yield* baseline.contentOf(edited)).toString() : undefined, "2\n")
      assert.strictEqual((yield* push()).filesPushed, 0)
      // What was pushed can be pushed anew: it is not the guest's own change.
      write(host, { "edited": "3\n" })
      assert.strictEqual((yield* push()).filesPushed, 1)
      assert.strictEqual(read("edited"), "3\n")
      assert.strictEqual(fs.readdirSync(path.join(state, "pushed")).length, 4)
    }))

  it.effect("sync push counts the set-user-ID bits and extended attributes that it drops", () =>
    Effect.gen(function*() {
      const { host, live, push } = yield* seeded("losses")
      write(host, { "new/tool": "t\n", "new/noted": "n\n", "edited": "2\n" })
      fs.chmodSync(path.join(host, "new/tool"), 0o4755)
      setAttribute(path.join(host, "new/noted"))
      setAttribute(path.join(host, "same"))
      const pushed = yield* push()
      assert.deepStrictEqual(pushed.warnings.map(({ message }) => message), [
        "the copy of 1 file or directory lacks the set-user-ID or set-group-ID bit: new/tool",
        "the copy of 1 file or directory lacks extended attributes " +
        "(user attributes, capabilities or access control lists): new/noted"
      ])
      assert.strictEqual(fs.statSync(path.join(live, "new/tool")).mode & 0o7777, 0o755)
      assert.deepStrictEqual((yield* push()).warnings, [])
    }))

  it.effect("a source that became a link since its check is not pushed for a server that may not read its target", () =>
    Effect.gen(function*() {
      const { host, push, state } = yield* seeded("swapped")
      const real = fs.realpathSync(host)
      fs.renameSync(real, `${real}-was`)
      fs.symlinkSync(state, real)
      write(state, { "private": "p" })
      const as = (reading: ReadonlyArray<string>) =>
        Effect.provideService(callerProject, { project: real, all: false, places: { reading, writing: [] } })
      const refused = yield* Effect.flip(as([real])(push({ sourcePath: real })))
      assert.include(refused.message, "leads out of the directories that this server may use")
      assert.strictEqual((yield* as([`${real}-was`])(push({ sourcePath: `${real}-was` }))).filesPushed, 0)
    }))

  it.effect("sync push leaves files alone that were changed in the workspace, without --force", () =>
    Effect.gen(function*() {
      const { host, live, push, read } = yield* seeded("conflicts")
      write(live, { "both": "guest\n", "mine": "mine\n", "equal": "e\n", "a-file": "f" })
      fs.rmSync(path.join(live, "edited"))
      fs.mkdirSync(path.join(live, "edited"))
      write(host, {
        "both": "host\n",
        "mine": "host's\n",
        "equal": "e\n",
        "edited": "2\n",
        "a-file/below": "b\n",
        "other": "o\n"
      })
      const pushed = yield* push()
      assert.deepStrictEqual(pushed.files, [{ path: "other", change: "added" }])
      assert.deepInclude(pushed, { filesPushed: 1, writtenCount: 1, removedCount: 0, equalCount: 1, conflictCount: 4 })
      assert.deepStrictEqual(pushed.conflicts.map((conflict) => conflict.path).sort(), [
        "a-file/below",
        "both",
        "edited",
        "mine"
      ])
      assert.deepStrictEqual([read("both"), read("mine"), read("other")], ["guest\n", "mine\n", "o\n"])
      const forced = yield* push({ force: true })
      assert.deepStrictEqual(forced.files.map((file) => file.path).sort(), ["both", "mine"])
      assert.deepStrictEqual(forced.conflicts.map((conflict) => conflict.path).sort(), ["a-file/below", "edited"])
      assert.deepStrictEqual(forced.warnings.map(({ message }) => message), [
        "the workspace's own changes of both, mine were overwritten; a rewind brings them back"
      ])
      assert.strictEqual(read("both"), "host\n")
      // And later changes there are seen as such again.
      write(live, { "both": "again\n" })
      write(host, { "both": "once more\n" })
      assert.deepStrictEqual((yield* push()).conflicts.map((conflict) => conflict.path).sort(), [
        "a-file/below",
        "both",
        "edited"
      ])
    }))

  it.effect("sync push --delete removes files that are gone on the host", () =>
    Effect.gen(function*() {
      const { host, live, push, state } = yield* seeded("deletes")
      for (const name of ["gone", "same", "dir/deep"]) fs.rmSync(path.join(host, name))
      write(live, { "same": "guest's\n", "own": "o\n" })
      const left = yield* push()
      assert.deepStrictEqual([left.filesPushed, left.missingOnHostCount, [...left.missingOnHost].sort()], [
        0,
        3,
        ["dir/deep", "gone", "same"]
      ])
      const pushed = yield* push({ delete: true })
      // One stays, and is told among the conflicts.
      assert.deepInclude(pushed, { writtenCount: 0, removedCount: 2, missingOnHostCount: 0, missingOnHost: [] })
      assert.deepStrictEqual(pushed.files.map((file) => file.path).sort(), ["dir/deep", "gone"])
      assert.deepStrictEqual(pushed.conflicts.map((conflict) => conflict.path), ["same"])
      assert.deepStrictEqual(fs.readdirSync(live).sort(), [".gitignore", "both", "edited", "link", "own", "same"])
      assert.deepStrictEqual((yield* readPushed(state)).entries.get("gone"), { _tag: "absent" })
      write(host, { "gone": "back\n" })
      assert.deepStrictEqual((yield* push()).files, [{ path: "gone", change: "added" }])
    }))

  it.effect("sync push replaces a directory by a file or link, and the reverse", () =>
    Effect.gen(function*() {
      const { channel, disk, host, live, names, push, read, state } = yield* seeded("kinds")
      for (const name of ["same", "link"]) {
        fs.rmSync(path.join(host, name))
        write(host, { [`${name}/a/b`]: `${name}\n`, [`${name}/c`]: "c\n" })
      }
      const pushed = yield* push()
      assert.deepStrictEqual([pushed.conflicts, pushed.skipped], [[], []])
      assert.deepStrictEqual(pushed.files.map(({ change, path }) => `${change} ${path}`).sort(), [
        ...["added link/a/b", "added link/c", "added same/a/b", "added same/c"],
        ...["deleted link", "deleted same"]
      ])
      assert.deepStrictEqual([read("link/a/b"), read("same/c")], ["link\n", "c\n"])
      assert.deepStrictEqual(yield* names, [])
      assert.strictEqual((yield* push({ delete: true })).filesPushed, 0)

      for (const name of ["dir", "same", "link"]) fs.rmSync(path.join(host, name), { recursive: true })
      write(host, { "dir": "file\n", "same": "again\n" })
      fs.symlinkSync("edited", path.join(host, "link"))
      const kept = yield* push()
      assert.deepStrictEqual(kept.conflicts.map((conflict) => conflict.path).sort(), ["dir", "link", "same"])
      const back = yield* push({ delete: true })
      assert.deepStrictEqual([back.conflicts, back.skipped], [[], []])
      assert.deepStrictEqual([read("dir"), read("same"), read("edited")], ["file\n", "again\n", "1\n"])
      assert.strictEqual(fs.readlinkSync(path.join(live, "link")), "edited")
      assert.deepStrictEqual(yield* names, [])

      fs.rmSync(live, { recursive: true })
      execFileSync("cp", ["-a", path.join(disk, "workspace"), live])
      yield* replayPushed(channel, yield* readPushed(state), { root: live, path: "" })
      assert.deepStrictEqual([read("dir"), yield* names], ["file\n", []])
    }))

  it.effect("sync push keeps changed files that a replaced directory would remove", () =>
    Effect.gen(function*() {
      const { host, live, push, read } = yield* seeded("no-room")
      write(live, { "same": "guest\n", "dir/own": "o\n" })
      fs.rmSync(path.join(host, "same"))
      fs.rmSync(path.join(host, "dir"), { recursive: true })
      write(host, { "same/a": "a\n", "same/b": "b\n", "dir": "file\n" })
      const pushed = yield* push({ delete: true })
      assert.deepStrictEqual(pushed.conflicts.map(({ path, reason }) => `${path}: ${reason}`).sort(), [
        "dir: the workspace has a directory there",
        "same/a: the workspace has no directory where it belongs",
        "same/b: the workspace has no directory where it belongs",
        "same: it was changed in the workspace too"
      ])
      assert.deepStrictEqual([read("same"), read("dir/own")], ["guest\n", "o\n"])
      const forced = yield* push({ delete: true, force: true })
      assert.deepStrictEqual(forced.conflicts.map((conflict) => conflict.path), ["dir"])
      assert.deepStrictEqual([read("same/a"), read("dir/own")], ["a\n", "o\n"])
    }))

  it.effect("sync push refuses a directory that is plainly wrong", () =>
    Effect.gen(function*() {
      const { disk, host, live, push, state } = yield* seeded("other-place")
      const other = path.join(path.dirname(host), "other")
      write(other, { "other": "o\n" })
      const refused = (options: Parameters<typeof push>[0]) =>
        Effect.map(Effect.flip(push(options)), ({ message }) => message)
      for (const sourcePath of [path.join(host, "dir"), path.dirname(host)]) {
        assert.include(yield* refused({ sourcePath, force: true }), `push ${host}`)
      }
      assert.match(
        yield* refused({ sourcePath: other, delete: true }),
        /has none of the files that the workspace began with/
      )
      assert.isFalse(fs.existsSync(path.join(live, "other")))
      assert.deepStrictEqual((yield* push({ sourcePath: other })).files, [{ path: "other", change: "added" }])
      yield* push({ sourcePath: other, delete: true, force: true })
      assert.deepStrictEqual(fs.readdirSync(live), ["other"])
      // Nothing but a repository's own files: the first ones of the project come.
      for (const tree of [live, path.join(disk, "workspace")]) {
        fs.rmSync(tree, { recursive: true })
        write(tree, { ".git/HEAD": "ref: refs/heads/main\n" })
      }
      fs.rmSync(path.join(state, "pushed.json"))
      assert.deepStrictEqual((yield* push({ sourcePath: other, delete: true })).files, [{
        path: "other",
        change: "added"
      }])
    }))

  it.effect("pushed files are in no diff", () =>
    Effect.gen(function*() {
      const { diff, host, live, names, patch, push, read } = yield* seeded("in-the-diff")
      write(host, {
        "edited": "2\n",
        "new/deep/file": "n\n",
        "both": "2\n",
        "new/.gitignore": "*.log\n",
        "run": "#!\n"
      })
      fs.chmodSync(path.join(host, "run"), 0o755)
      fs.rmSync(path.join(host, "link"))
      fs.symlinkSync("edited", path.join(host, "link"))
      fs.rmSync(path.join(host, "gone"))
      yield* push({ delete: true })
      assert.deepStrictEqual(yield* names, [])
      // Nor does a limit on contents make a change of what is as it was pushed.
      assert.deepStrictEqual((yield* diff({ fileBytes: 1, totalBytes: 1 })).files, [])

      write(live, { "edited": "2\nmine\n", "own": "o\n", "new/x.log": "ignored by what was pushed\n", "gone": "g\n" })
      fs.rmSync(path.join(live, "new/deep"), { recursive: true })
      // Back to what the seed has: a change all the same, though the trees are alike there.
      fs.cpSync(path.join(live, "../disk/workspace/both"), path.join(live, "both"), { preserveTimestamps: true })
      fs.chmodSync(path.join(live, "run"), 0o644)
      fs.rmSync(path.join(live, "link"))
      fs.symlinkSync("same", path.join(live, "link"))
      const found = yield* diff()
      assert.deepStrictEqual(found.files.map(({ path, status }) => `${status} ${path}`), [
        "modified both",
        "modified edited",
        "added gone",
        "modified link",
        "deleted new/deep/file",
        "added own",
        "modified run"
      ])
      assert.strictEqual(found.ignoredCount, 1)
      assert.deepStrictEqual(found.files.find((file) => file.path === "edited")?.additions, 1)
      // The old side is the host's: its patch fits there, and makes the workspace of it.
      const env = { PATH: process.env["PATH"], GIT_CEILING_DIRECTORIES: path.dirname(host) }
      execFileSync("git", ["apply", "--binary", "-"], { cwd: host, env, input: yield* patch })
      for (const file of ["edited", "own", "gone", "both"]) {
        assert.strictEqual(fs.readFileSync(path.join(host, file), "utf8"), read(file))
      }
      assert.isFalse(fs.existsSync(path.join(host, "new/deep")))
      assert.strictEqual(fs.statSync(path.join(host, "run")).mode & 0o100, 0)
      assert.strictEqual(fs.readlinkSync(path.join(host, "link")), "same")
    }))

  it.effect("sync push names ignored files and copies them if asked", () =>
    Effect.gen(function*() {
      const { host, push, read } = yield* seeded("left-home")
      write(host, { ".gitignore": "*.o\nout/\n", "out/deep/file": "f\n", "out/other": "o\n", "x.o": "x" })
      const plain = yield* push()
      assert.deepStrictEqual([plain.ignoredCount, plain.ignored], [2, ["out/", "x.o"]])
      const asked = yield* push({ includeIgnored: ["out"] })
      assert.deepStrictEqual([asked.filesPushed, asked.ignoredCount, asked.ignored], [2, 1, ["x.o"]])
      assert.deepStrictEqual([read("out/deep/file"), read("out/other")], ["f\n", "o\n"])
    }))

  it.effect("sync push brings a file of any size, which is then part of the seed", () =>
    Effect.gen(function*() {
      const { channel, disk, host, live, names, push, state } = yield* seeded("large")
      const mib = 1024 * 1024
      const large = path.join(host, "large")
      const end = (text: string) => {
        fs.truncateSync(large, 100 * mib)
        fs.appendFileSync(large, text)
      }
      const same = (file: string) => execFileSync("cmp", [large, file], { stdio: "pipe" })
      fs.writeFileSync(large, "begin")
      end("one")
      write(host, { "edited": "2\n" })
      const pushed = yield* push()
      assert.deepStrictEqual([pushed.filesPushed, pushed.skipped, pushed.bytes], [2, [], 100 * mib + 5])
      same(path.join(live, "large"))
      assert.deepStrictEqual(yield* names, [])
      assert.deepStrictEqual([(yield* push()).filesPushed, yield* names], [0, []])

      // The guest's own change stays, and the host keeps no content for it.
      fs.writeFileSync(path.join(live, "large"), "mine")
      end("two")
      assert.deepStrictEqual((yield* push()).conflicts.map((one) => one.path), ["large"])
      assert.deepStrictEqual(fs.readdirSync(path.join(state, "pushed")).length, 2)
      assert.deepStrictEqual(yield* names, ["modified large"])
      assert.strictEqual((yield* push({ force: true })).filesPushed, 1)
      same(path.join(live, "large"))
      // Equal content that the workspace has by itself.
      end("three")
      fs.copyFileSync(large, path.join(live, "large"))
      assert.deepStrictEqual([(yield* push()).equalCount, yield* names], [1, []])

      fs.rmSync(live, { recursive: true })
      execFileSync("cp", ["-a", path.join(disk, "workspace"), live])
      yield* replayPushed(channel, yield* readPushed(state), { root: live, path: "" })
      same(path.join(live, "large"))
      assert.deepStrictEqual(yield* names, [])
      const [kept] = fs.readdirSync(path.join(state, "pushed")).map((name) => path.join(state, "pushed", name))
        .filter((file) => fs.statSync(file).size > mib)
      fs.truncateSync(kept!, mib)
      const failure = yield* Effect.flip(replayPushed(channel, yield* readPushed(state), { root: live, path: "" }))
      assert.include(failure.message, "what was pushed there is gone")
    }))

  it.effect("sync push keeps files named __proto__ and the like", () =>
    Effect.gen(function*() {
      const { channel, disk, host, live, names, push, read, state } = yield* seeded("odd-names")
      write(host, { ...oddNames("1\n"), ...named(ODD_NAMES.map((name) => [`in/${name}`, "2\n"])) })
      assert.strictEqual((yield* push()).filesPushed, 2 * ODD_NAMES.length)
      assert.deepStrictEqual(yield* names, [])
      fs.rmSync(live, { recursive: true })
      execFileSync("cp", ["-a", path.join(disk, "workspace"), live])
      yield* replayPushed(channel, yield* readPushed(state), { root: live, path: "" })
      for (const name of ODD_NAMES) assert.deepStrictEqual([read(name), read(`in/${name}`)], ["1\n", "2\n"])
      assert.deepStrictEqual(yield* names, [])
      assert.strictEqual((yield* push()).filesPushed, 0)
    }))

  it.effect("sync push is replayed onto the seed after a reset", () =>
    Effect.gen(function*() {
      const { channel, disk, host, live, names, push, read, state } = yield* seeded("replayed")
      write(host, { "edited": "2\n", "new/file": "n\n" })
      for (const name of ["gone", "link", "dir/deep"]) fs.rmSync(path.join(host, name))
      fs.symlinkSync("edited", path.join(host, "link"))
      fs.chmodSync(path.join(host, "edited"), 0o755)
      yield* push({ delete: true })
      write(live, { "own": "o\n", "edited": "mine\n" })
      fs.rmSync(live, { recursive: true })
      execFileSync("cp", ["-a", path.join(disk, "workspace"), live])
      yield* replayPushed(channel, yield* readPushed(state), { root: live, path: "" })
      assert.deepStrictEqual(yield* names, [])
      assert.deepStrictEqual([read("edited"), read("new/file"), read("link")], ["2\n", "n\n", "2\n"])
      assert.strictEqual(fs.statSync(path.join(live, "edited")).mode & 0o777, 0o755)
      assert.deepStrictEqual(fs.readdirSync(live).sort(), [".gitignore", "both", "edited", "link", "new", "same"])
      assert.strictEqual((yield* push()).filesPushed, 0)
    }))
})
