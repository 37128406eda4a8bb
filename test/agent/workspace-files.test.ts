import { assert } from "@effect/vitest"
import { Effect, Stream } from "effect"
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync
} from "node:fs"
import {
  FileEditPayload,
  FileListPayload,
  FileReadPayload,
  FileWritePayload
} from "../../src/contract/rows/workspace-file.ts"
import { workspaceFile } from "../../src/lib/guest-channel/guest-path.ts"
import type { GuestChannel } from "../../src/lib/guest-channel/GuestChannel.ts"
import { editFile } from "../../src/workspace/content/files/edit.ts"
import { listFiles } from "../../src/workspace/content/files/list.ts"
import { openFile } from "../../src/workspace/content/files/open.ts"
import { readFile } from "../../src/workspace/content/files/read.ts"
import { writeFile, writeFileFrom } from "../../src/workspace/content/files/write.ts"
import { pngOf } from "../support/files/images.ts"
import { withConfinedAgent } from "./agent.ts"
import { decoded, freshRoot, reasonOf } from "./fresh-root.ts"

/** The operations as a surface calls them: with the fields of their JSON. */
const files = (channel: GuestChannel) => {
  return {
    list: (fields: object = {}) => listFiles(channel, decoded(FileListPayload(), fields)),
    read: (path: string, fields: object = {}) => readFile(channel, decoded(FileReadPayload(), { path, ...fields })),
    write: (path: string, fields: object) => writeFile(channel, decoded(FileWritePayload(), { path, ...fields })),
    edit: (path: string, old_text: string, new_text: string, fields: object = {}) =>
      editFile(channel, decoded(FileEditPayload(), { path, old_text, new_text, ...fields })),
    bytes: (path: string) =>
      Effect.map(
        Stream.runCollect(
          Stream.unwrap(
            Effect.flatMap(workspaceFile(path), (file) => Effect.map(openFile(channel, file), ({ content }) => content))
          )
        ),
        (pieces) => Buffer.concat(pieces)
      )
  }
}

/** The agent's own root, with an empty /workspace in it. */
const fresh = Effect.gen(function*() {
  const { channel, directory: workspace, root } = yield* freshRoot("workspace")
  return { ...files(channel), channel, root, workspace }
})

withConfinedAgent("files of a workspace", (it) => {
  it.effect("file list shows files by level with their type", () =>
    Effect.gen(function*() {
      const { list, workspace } = yield* fresh
      mkdirSync(`${workspace}/src/deep/deeper`, { recursive: true })
      writeFileSync(`${workspace}/src/main.py`, "12345")
      chmodSync(`${workspace}/src/main.py`, 0o751)
      symlinkSync("src/main.py", `${workspace}/link`)
      writeFileSync(Buffer.from(`${workspace}/od d\xff\n`, "latin1"), "")
      writeFileSync(`${workspace}/src/deep/deeper/end`, "")
      const top = yield* list()
      assert.deepStrictEqual([top.path, top.truncated, top.total], [".", false, 3])
      assert.deepStrictEqual(
        top.entries.map((
          { path, sizeBytes, target, type }
        ) => [path, type, type === "directory" ? 0 : sizeBytes, target]),
        [
          ["link", "symlink", 11, "src/main.py"],
          ["\"od d\\377\\n\"", "file", 0, undefined],
          ["src", "directory", 0, undefined]
        ]
      )
      const inner = yield* list({ path: "/workspace/src/" })
      assert.strictEqual(inner.path, "src")
      const main = inner.entries.find(({ path }) => path === "src/main.py")
      assert.deepStrictEqual([main?.mode, main?.sizeBytes], ["0751", 5])
      // Node rounds a plain stat's mtime to the nearest ms.
      const { mtimeMs } = statSync(`${workspace}/src/main.py`, { bigint: true })
      assert.strictEqual(main?.modifiedAt, new Date(Number(mtimeMs)).toISOString())
      const all = yield* list({ recursive: true })
      assert.strictEqual(all.entries.at(-1)?.path, "src/main.py")
      assert.strictEqual(all.total, 7)
      const cut = yield* list({ recursive: true, limit: 4 })
      assert.deepStrictEqual(cut.entries.map(({ path }) => path), ["link", "\"od d\\377\\n\"", "src", "src/deep"])
      assert.deepStrictEqual([cut.truncated, cut.total], [true, 7])
      assert.strictEqual((yield* list({ depth: 2 })).total, 5)
      assert.strictEqual(yield* reasonOf(list({ path: "nowhere" })), "not_found")
      assert.strictEqual(yield* reasonOf(list({ path: "src/main.py" })), "not_a_directory")
    }))

  it.effect("file read reads files whole, by lines, and up to a limit", () =>
    Effect.gen(function*() {
      const { bytes, read, workspace } = yield* fresh
      const lines = Array.from({ length: 50_000 }, (_, i) => `line ${i + 1}\n`)
      writeFileSync(`${workspace}/long`, lines.join(""))
      chmodSync(`${workspace}/long`, 0o640)
      const first = yield* read("long")
      assert.deepStrictEqual([first.truncated, first.totalLines, first.mode], [true, 50_000, "0640"])
      assert.isAtMost(first.text!.length, 262_144)
      assert.strictEqual(first.text, lines.slice(0, first.lineCount).join(""))
      const next = yield* read("long", { start_line: first.nextLine, max_bytes: 4_000_000 })
      assert.strictEqual(first.text! + next.text!, lines.join(""))
      assert.strictEqual(next.version, first.version)
      const some = yield* read("long", { start_line: 40_000, line_count: 2 })
      assert.deepStrictEqual([some.text, some.truncated, some.lineCount], ["line 40000\nline 40001\n", false, 2])
      const beyond = yield* read("long", { start_line: 60_000 })
      assert.deepStrictEqual([beyond.text, beyond.lineCount, beyond.totalLines], ["", 0, 50_000])
      assert.strictEqual((yield* bytes("/workspace/long")).toString(), lines.join(""))

      writeFileSync(`${workspace}/latin`, Buffer.from("caf\xe9\r\n", "latin1"))
      const latin = yield* read("latin")
      assert.deepStrictEqual([latin.text, latin.lossy, latin.binary], ["caf\ufffd\r\n", true, false])
      const raw = Buffer.concat([Buffer.from("\x7fELF\0"), Buffer.alloc(100_000, 255)])
      writeFileSync(`${workspace}/binary`, raw)
      const binary = yield* read("binary")
      assert.deepStrictEqual([binary.text, binary.binary, binary.sizeBytes], [undefined, true, 100_005])
      assert.notProperty(yield* read("binary", { images: true }), "image")
      // By its first bytes, whatever its name; only when asked for.
      const png = pngOf(300, 200)
      writeFileSync(`${workspace}/photo.txt`, png)
      assert.notProperty(yield* read("photo.txt"), "image")
      const { binary: isBinary, image } = yield* read("photo.txt", { images: true })
      assert.deepInclude(image as object, { mediaType: "image/png", width: 300, height: 200 })
      assert.isTrue(isBinary && Buffer.from(image!.content!).equals(png))
      assert.isTrue((yield* bytes("binary")).equals(raw))
      writeFileSync(`${workspace}/empty`, "")
      const empty = yield* read("empty")
      assert.deepStrictEqual([empty.text, empty.lineCount, empty.totalLines], ["", 0, 0])
      assert.strictEqual(yield* reasonOf(read(".")), "is_a_directory")
      assert.strictEqual(yield* reasonOf(read("empty/x")), "not_a_directory")
      assert.strictEqual(yield* reasonOf(read("nothing")), "not_found")
    }))

  it.effect("file write makes parent directories and keeps the mode", () =>
    Effect.gen(function*() {
      const { channel, read, workspace, write } = yield* fresh
      const made = yield* write("a/b/new", { text: "größe" })
      assert.deepStrictEqual([made.path, made.created, made.sizeBytes, made.mode], ["a/b/new", true, 7, "0644"])
      assert.strictEqual((yield* read("a/b/new")).version, made.version)
      chmodSync(`${workspace}/a/b/new`, 0o755)
      const again = yield* write("a/b/new", { content: Uint8Array.of(0, 255) })
      assert.deepStrictEqual([again.created, again.mode], [false, "0755"])
      assert.deepStrictEqual([...readFileSync(`${workspace}/a/b/new`)], [0, 255])
      assert.strictEqual((yield* write("a/b/new", { text: "", mode: "600" })).mode, "0600")
      assert.strictEqual(statSync(`${workspace}/a/b/new`).mode & 0o7777, 0o600)
      assert.strictEqual(yield* reasonOf(write("x", {})), "InvalidRequest")
      assert.strictEqual(yield* reasonOf(write("x", { text: "a", content: "" })), "InvalidRequest")
      assert.strictEqual(yield* reasonOf(write("a", { text: "" })), "is_a_directory")
      assert.strictEqual(yield* reasonOf(write("a/b/new/x", { text: "" })), "not_a_directory")
      const broken = writeFileFrom(
        channel,
        { path: "half" },
        Stream.concat(Stream.make(Buffer.alloc(200_000)), Stream.fail("its source broke" as const))
      )
      assert.strictEqual(yield* Effect.flip(broken), "its source broke")
      assert.isFalse(existsSync(`${workspace}/half`))
      assert.isFalse(existsSync(`${workspace}/x`))
    }))

  it.effect("file write refuses an old version", () =>
    Effect.gen(function*() {
      const { read, workspace, write } = yield* fresh
      const { version } = yield* write("file", { text: "one" })
      const mine = yield* write("file", { text: "two", expected_version: version })
      const stale = yield* Effect.flip(write("file", { text: "three", expected_version: version }))
      assert.strictEqual(stale._tag === "FileChanged" ? stale.actualVersion : stale._tag, mine.version)
      const exists = yield* Effect.flip(write("file", { text: "four", expected_version: "absent" }))
      assert.strictEqual(exists._tag === "FileRefused" ? exists.reason : exists._tag, "exists")
      assert.include(exists.message, mine.version)
      const gone = yield* Effect.flip(write("never", { text: "five", expected_version: version }))
      assert.strictEqual(gone._tag === "FileChanged" ? gone.actualVersion : gone._tag, "absent")
      assert.isTrue((yield* write("fresh", { text: "", expected_version: "absent" })).created)
      writeFileSync(`${workspace}/file`, "TWO") // by a process of the guest, in place and of the same size
      assert.notStrictEqual((yield* read("file")).version, mine.version)
      assert.strictEqual(yield* reasonOf(write("file", { text: "six", expected_version: mine.version })), "FileChanged")
      assert.strictEqual(readFileSync(`${workspace}/file`, "utf8"), "TWO")
      assert.deepStrictEqual(readdirSync(workspace).sort(), ["file", "fresh"])
    }))

  it.effect("file edit replaces exact text, or fails with the closest text", () =>
    Effect.gen(function*() {
      const { edit, read, workspace, write } = yield* fresh
      writeFileSync(`${workspace}/code`, "a = 1\nb = 1\n\tc = 2\n")
      chmodSync(`${workspace}/code`, 0o755)
      const edited = yield* edit("code", "b = 1\n", "b = 3\nx = 4\n")
      assert.deepStrictEqual([edited.replaced, edited.lines, edited.mode, edited.sizeBytes], [1, [2], "0755", 25])
      assert.strictEqual(readFileSync(`${workspace}/code`, "utf8"), "a = 1\nb = 3\nx = 4\n\tc = 2\n")
      assert.strictEqual((yield* read("code")).version, edited.version)
      const several = yield* Effect.flip(edit("code", " = ", "="))
      assert.deepStrictEqual(
        several._tag === "EditRejected" ? [several.matches, several.lines] : several._tag,
        [4, [1, 2, 3, 4]]
      )
      const near = yield* Effect.flip(edit("code", "    c = 2", "c = 3"))
      assert.include(near.message, "line 4 if white space were ignored")
      assert.strictEqual((yield* edit("code", " = ", "=", { replace_all: true })).replaced, 4)
      const { version } = yield* write("code", { text: "one" })
      yield* edit("code", "one", "two", { expected_version: version })
      assert.strictEqual(yield* reasonOf(edit("code", "two", "three", { expected_version: version })), "FileChanged")
      assert.strictEqual(yield* reasonOf(edit("code", "same", "same")), "InvalidRequest")
      assert.strictEqual(yield* reasonOf(edit("nothing", "a", "b")), "not_found")
      writeFileSync(`${workspace}/windows`, Buffer.from("caf\xe9\r\nb\r\n", "latin1"))
      assert.strictEqual((yield* edit("windows", "\nb\n", "\nc\nd\n")).lineEndings, "crlf")
      assert.strictEqual(readFileSync(`${workspace}/windows`, "latin1"), "caf\xe9\r\nc\r\nd\r\n")
      yield* edit("windows", "c\nd\n", "")
      writeFileSync(`${workspace}/all`, "gone")
      assert.strictEqual((yield* edit("all", "gone", "")).sizeBytes, 0)
    }))

  it.effect("concurrent edits of a file are all kept", () =>
    Effect.gen(function*() {
      const { edit, workspace } = yield* fresh
      const names = Array.from({ length: 4 }, (_, i) => `word${i}`)
      writeFileSync(`${workspace}/shared`, names.map((name) => `${name}\n`).join(""))
      const edits = names.map((name) => edit("shared", `${name}\n`, `${name} done\n`))
      yield* Effect.all(edits, { concurrency: "unbounded" })
      assert.strictEqual(readFileSync(`${workspace}/shared`, "utf8"), names.map((name) => `${name} done\n`).join(""))
    }))

  it.effect("file operations take any path, and follow links as the guest's programs do", () =>
    Effect.gen(function*() {
      const { edit, list, read, root, workspace, write } = yield* fresh
      mkdirSync(`${root}/etc`, { recursive: true })
      writeFileSync(`${root}/etc/passwd`, "outside")
      mkdirSync(`${workspace}/d`)
      symlinkSync("/etc", `${workspace}/etc`)
      symlinkSync("../etc", `${workspace}/near`)
      symlinkSync("../../etc/passwd", `${workspace}/d/file`)
      symlinkSync("/etc/new", `${workspace}/dangling`)
      symlinkSync("..", `${workspace}/up`)
      symlinkSync("/workspace/d", `${workspace}/absolute`)
      // More levels up than there are: the guest's root is above itself.
      symlinkSync("../../../../../../../../etc", `${workspace}/far`)
      const named = [
        "/etc/passwd",
        "../etc/passwd",
        "/../../etc/passwd",
        "etc/passwd",
        "near/passwd",
        "d/file",
        "up/etc/passwd",
        "d/../up/etc/passwd",
        "absolute/file",
        "far/passwd",
        "/workspace/../etc/passwd"
      ]
      for (const path of named) assert.strictEqual((yield* read(path)).text, "outside", path)
      yield* edit("d/file", "side", "SIDE")
      yield* edit("/etc/passwd", "out", "OUT")
      assert.strictEqual(readFileSync(`${root}/etc/passwd`, "utf8"), "OUTSIDE")
      for (const [i, path] of ["dangling", "near/x", "up/etc/y", "/etc/deep/z", "far/w"].entries()) {
        assert.isTrue((yield* write(path, { text: `${i}` })).created, path)
      }
      assert.deepStrictEqual(readdirSync(`${root}/etc`).sort(), ["deep", "new", "passwd", "w", "x", "y"])
      // Results are relative to /workspace, and absolute outside of it.
      assert.deepStrictEqual(
        [(yield* read("/workspace/d/file")).path, (yield* read("../etc/passwd")).path, (yield* read("/etc/x")).path],
        ["d/file", "/workspace/../etc/passwd", "/etc/x"]
      )
      const etc = yield* list({ path: "/etc", recursive: true })
      assert.strictEqual(etc.path, "/etc")
      assert.include(etc.entries.map(({ path }) => path), "/etc/deep/z")
      assert.include((yield* list({ path: "near" })).entries.map(({ path }) => path), "near/passwd")
      const top = (yield* list({ path: "/" })).entries.map(({ path }) => path)
      assert.includeMembers(top, ["/etc", "."])
      assert.strictEqual(yield* reasonOf(read("/etc")), "is_a_directory")
      assert.strictEqual(yield* reasonOf(read("/nothing")), "not_found")
      symlinkSync("loop", `${workspace}/loop`)
      assert.strictEqual(yield* reasonOf(read("loop")), "failed")
      assert.strictEqual(yield* reasonOf(write("loop", { text: "x" })), "failed")
    }))

  it.effect("file operations have the rights of the named user", () =>
    Effect.gen(function*() {
      const { edit, list, read, root, workspace, write } = yield* fresh
      mkdirSync(`${root}/etc`, { recursive: true })
      writeFileSync(`${root}/etc/passwd`, "tester:x:0:0::/:/bin/sh\n")
      writeFileSync(`${workspace}/file`, "text")
      const asRoot = { user: "tester" }
      assert.strictEqual((yield* read("file", asRoot)).text, "text")
      yield* edit("file", "text", "more", asRoot)
      assert.isTrue((yield* write("new", { text: "", ...asRoot })).created)
      assert.strictEqual((yield* list(asRoot)).total, 2)
      const unknown = { user: "nobody-here" }
      const refusals = [
        yield* Effect.flip(read("file", unknown)),
        yield* Effect.flip(list(unknown)),
        yield* Effect.flip(write("file", { text: "", ...unknown })),
        yield* Effect.flip(edit("file", "more", "less", unknown))
      ]
      for (const { message } of refusals) assert.include(message, "no such user")
      assert.strictEqual(readFileSync(`${workspace}/file`, "utf8"), "more")
    }))

  it.effect("file operations follow links beneath /workspace", () =>
    Effect.gen(function*() {
      const { edit, read, workspace, write } = yield* fresh
      mkdirSync(`${workspace}/docs`)
      writeFileSync(`${workspace}/docs/AGENTS.md`, "be kind\n")
      symlinkSync("docs/AGENTS.md", `${workspace}/CLAUDE.md`)
      assert.strictEqual((yield* read("CLAUDE.md")).text, "be kind\n")
      yield* edit("CLAUDE.md", "kind", "exact")
      const { version } = yield* read("CLAUDE.md")
      yield* write("CLAUDE.md", { text: "new\n", expected_version: version })
      assert.strictEqual(readFileSync(`${workspace}/docs/AGENTS.md`, "utf8"), "new\n")
      assert.strictEqual((yield* read("docs/../CLAUDE.md")).text, "new\n")
    }))
})
