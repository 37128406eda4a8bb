import { assert } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import { execFileSync } from "node:child_process"
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync
} from "node:fs"
import {
  FileChmodPayload,
  FileCopyPayload,
  FileMkdirPayload,
  FileRemovePayload,
  FileRenamePayload,
  FileStatPayload
} from "../../src/contract/rows/workspace-file-work.ts"
import { guestFiles } from "../../src/lib/guest-channel/guest-path.ts"
import {
  changeMode,
  copyFile,
  makeDirectory,
  removeFile,
  renameFile,
  statFile
} from "../../src/workspace/content/files/work.ts"
import { until, withConfinedAgent } from "./agent.ts"
import { decoded, freshRoot, reasonOf } from "./fresh-root.ts"

/** The operations, and the agent's own root with an empty /workspace in it. */
const fresh = Effect.gen(function*() {
  const { channel, directory: workspace, root } = yield* freshRoot("workspace")
  return {
    root,
    workspace,
    stat: (path: string, fields: object = {}) =>
      statFile(channel, decoded(FileStatPayload(), { path, ...fields }), guestFiles()),
    mkdir: (path: string, fields: object = {}) =>
      makeDirectory(channel, decoded(FileMkdirPayload(), { path, ...fields })),
    remove: (path: string, fields: object = {}) =>
      removeFile(channel, decoded(FileRemovePayload(), { path, ...fields })),
    rename: (path: string, target: string, fields: object = {}) =>
      renameFile(channel, decoded(FileRenamePayload(), { path, target, ...fields })),
    copy: (path: string, target: string, fields: object = {}) =>
      copyFile(channel, decoded(FileCopyPayload(), { path, target, ...fields })),
    chmod: (path: string, mode: string) => changeMode(channel, decoded(FileChmodPayload(), { path, mode }))
  }
})

/** A tree of so many levels, made by relative steps: its path is longer than a path may be. */
const deepen = (directory: string, levels: number) =>
  execFileSync("python3", [
    "-c",
    "import os, sys\nos.chdir(sys.argv[1])\nfor _ in range(int(sys.argv[2])):\n os.mkdir('d' * 9); os.chdir('d' * 9)\nopen('end', 'w')",
    directory,
    `${levels}`
  ])

withConfinedAgent("work on files", (it) => {
  it.effect("file stat tells what is at a path, or that nothing is", () =>
    Effect.gen(function*() {
      const { stat, workspace } = yield* fresh
      writeFileSync(`${workspace}/file`, "12345")
      chmodSync(`${workspace}/file`, 0o640)
      symlinkSync("/workspace/file", `${workspace}/link`)
      symlinkSync("nowhere", `${workspace}/dangling`)
      const { mtimeMs, uid } = lstatSync(`${workspace}/file`, { bigint: true })
      const file = yield* stat("file")
      const known = { path: "file", exists: true, type: "file" as const, sizeBytes: 5, mode: "0640" }
      assert.deepInclude(file, { ...known, modifiedAt: new Date(Number(mtimeMs)).toISOString() })
      assert.isTrue(file.uid === 0 || file.uid === Number(uid))
      assert.deepInclude(yield* stat("link"), { path: "link", type: "file", sizeBytes: 5 })
      assert.deepInclude(yield* stat("link", { no_follow: true }), { type: "symlink", target: "/workspace/file" })
      assert.deepInclude(yield* stat("/"), { path: "/", type: "directory" })
      assert.deepInclude(yield* stat("."), { path: ".", type: "directory" })
      for (const path of ["none", "none/x", "file/x", "dangling", "/none"]) {
        assert.deepStrictEqual(yield* stat(path), { path, exists: false })
      }
      assert.isTrue((yield* stat("dangling", { no_follow: true })).exists)
      assert.strictEqual(yield* reasonOf(stat("file", { user: "nobody-here" })), "permission")
    }))

  it.effect("file mkdir makes a directory, with its parents if asked", () =>
    Effect.gen(function*() {
      const { mkdir, root, workspace } = yield* fresh
      assert.deepStrictEqual(yield* mkdir("a"), { path: "a", created: true })
      assert.strictEqual(yield* reasonOf(mkdir("a")), "exists")
      assert.deepStrictEqual(yield* mkdir("a", { parents: true }), { path: "a", created: false })
      assert.deepStrictEqual(yield* mkdir(".", { parents: true }), { path: ".", created: false })
      assert.strictEqual(yield* reasonOf(mkdir("b/c")), "not_found")
      assert.isTrue((yield* mkdir("b/c/", { parents: true, mode: "1770" })).created)
      assert.strictEqual(statSync(`${workspace}/b/c`).mode & 0o7777, 0o1770)
      writeFileSync(`${workspace}/file`, "")
      assert.strictEqual(yield* reasonOf(mkdir("file", { parents: true })), "exists")
      assert.strictEqual(yield* reasonOf(mkdir("file/x", { parents: true })), "not_a_directory")
      assert.deepStrictEqual(yield* mkdir("/opt/x", { parents: true }), { path: "/opt/x", created: true })
      assert.isTrue(statSync(`${root}/opt/x`).isDirectory())
    }))

  it.effect("file remove removes files, links and directories of any depth, and follows no link", () =>
    Effect.gen(function*() {
      const { remove, root, workspace } = yield* fresh
      mkdirSync(`${root}/kept`, { recursive: true })
      writeFileSync(`${root}/kept/file`, "kept")
      writeFileSync(`${workspace}/file`, "")
      symlinkSync("/kept", `${workspace}/link`)
      mkdirSync(`${workspace}/empty`)
      for (const path of ["file", "link", "empty"]) {
        assert.deepStrictEqual(yield* remove(path), { path, removed: true })
        assert.strictEqual(yield* reasonOf(remove(path)), "not_found")
        assert.deepStrictEqual(yield* remove(path, { if_exists: true }), { path, removed: false })
      }
      mkdirSync(`${workspace}/tree`)
      deepen(`${workspace}/tree`, 1_500)
      symlinkSync("/kept", `${workspace}/tree/link`)
      execFileSync("mkfifo", [`${workspace}/tree/fifo`])
      writeFileSync(Buffer.from(`${workspace}/tree/\xff\n"`, "latin1"), "")
      for (let i = 0; i < 2_000; i++) writeFileSync(`${workspace}/tree/${i}`, "")
      assert.strictEqual(yield* reasonOf(remove("tree")), "not_empty")
      assert.isTrue((yield* remove("tree", { recursive: true })).removed)
      assert.deepStrictEqual(readdirSync(workspace), [])
      assert.strictEqual(readFileSync(`${root}/kept/file`, "utf8"), "kept")
      for (const path of [".", "/", "/workspace", "..", "a/.."]) {
        assert.strictEqual(yield* reasonOf(remove(path, { recursive: true })), "not_a_file", path)
      }
    }))

  it.effect("file rename moves, and replaces only if asked", () =>
    Effect.gen(function*() {
      const { rename, root, workspace } = yield* fresh
      writeFileSync(`${workspace}/a`, "a")
      writeFileSync(`${workspace}/b`, "b")
      assert.strictEqual(yield* reasonOf(rename("a", "b")), "exists")
      assert.deepStrictEqual(yield* rename("a", "b", { replace: true }), { path: "b" })
      assert.deepStrictEqual(readdirSync(workspace), ["b"])
      assert.strictEqual(readFileSync(`${workspace}/b`, "utf8"), "a")
      assert.deepStrictEqual(yield* rename("b", "/moved/deep/b"), { path: "/moved/deep/b" })
      assert.strictEqual(readFileSync(`${root}/moved/deep/b`, "utf8"), "a")
      assert.strictEqual(yield* reasonOf(rename("none", "x/y")), "not_found")
      assert.deepStrictEqual(readdirSync(workspace), [])
      mkdirSync(`${workspace}/d/e`, { recursive: true })
      assert.strictEqual(yield* reasonOf(rename("d", "d/e/f")), "failed")
      mkdirSync(`${workspace}/full/x`, { recursive: true })
      assert.strictEqual(yield* reasonOf(rename("d", "full", { replace: true })), "not_empty")
      writeFileSync(`${workspace}/file`, "")
      const refused = yield* Effect.flip(rename("file", "full", { replace: true }))
      assert.deepInclude(refused, { path: "full", reason: "is_a_directory" })
    }))

  it.effect("file copy copies files and trees whole", () =>
    Effect.gen(function*() {
      const { copy, workspace } = yield* fresh
      const odd = Buffer.from(`${workspace}/tree/od d\xff\n`, "latin1")
      mkdirSync(`${workspace}/tree/sub`, { recursive: true })
      writeFileSync(`${workspace}/tree/sub/file`, "content")
      chmodSync(`${workspace}/tree/sub/file`, 0o4751)
      utimesSync(`${workspace}/tree/sub/file`, 1_000, 2_000)
      writeFileSync(odd, "odd")
      symlinkSync("/nowhere", `${workspace}/tree/link`)
      execFileSync("mkfifo", [`${workspace}/tree/fifo`])
      writeFileSync(`${workspace}/tree/sparse`, "x")
      truncateSync(`${workspace}/tree/sparse`, 1_000_000_000)
      const copied = yield* copy("tree", "new/copy")
      assert.deepStrictEqual([copied.path, copied.entries, copied.skipped], ["new/copy", 6, 1])
      assert.deepStrictEqual(readdirSync(`${workspace}/new`), ["copy"])
      const file = statSync(`${workspace}/new/copy/sub/file`)
      // The bits that give rights are not copied.
      assert.deepStrictEqual([file.mode & 0o7777, file.mtimeMs], [0o751, 2_000_000])
      assert.strictEqual(readlinkSync(`${workspace}/new/copy/link`), "/nowhere")
      const sparse = statSync(`${workspace}/new/copy/sparse`)
      assert.strictEqual(sparse.size, 1_000_000_000)
      assert.isBelow(sparse.blocks, 1_000)
      assert.strictEqual(
        readdirSync(`${workspace}/new/copy`, "latin1").filter((name) => name.includes("\xff")).length,
        1
      )

      assert.strictEqual(yield* reasonOf(copy("tree/sub/file", "new/copy")), "exists")
      writeFileSync(`${workspace}/other`, "old")
      assert.strictEqual(yield* reasonOf(copy("tree/sub/file", "other")), "exists")
      assert.deepInclude(yield* copy("tree/sub/file", "other", { replace: true }), { entries: 1, bytes: 7 })
      assert.strictEqual(readFileSync(`${workspace}/other`, "utf8"), "content")
      assert.strictEqual(yield* reasonOf(copy("tree", "tree/sub/in")), "failed")
      assert.strictEqual(yield* reasonOf(copy("tree/fifo", "x")), "failed")
      assert.strictEqual(yield* reasonOf(copy("none", "x")), "not_found")
      assert.deepStrictEqual(readdirSync(`${workspace}/tree/sub`), ["file"])
      mkdirSync(`${workspace}/deep`)
      deepen(`${workspace}/deep`, 1_200)
      assert.strictEqual(yield* reasonOf(copy("deep", "deeper")), "failed")
      assert.deepStrictEqual(readdirSync(workspace).sort(), ["deep", "new", "other", "tree"])
      yield* Effect.sync(() => execFileSync("rm", ["-rf", `${workspace}/deep`]))
    }))

  it.effect("the end of a caller ends a copy, and leaves nothing", () =>
    Effect.gen(function*() {
      const { copy, workspace } = yield* fresh
      mkdirSync(`${workspace}/tree`)
      for (let i = 0; i < 300; i++) writeFileSync(`${workspace}/tree/${i}`, Buffer.alloc(500_000, 1))
      const drafts = () => readdirSync(workspace).filter((name) => name.startsWith(".pyro-"))
      const copying = yield* Effect.forkChild(copy("tree", "copy"))
      yield* until("the copy has begun", () => drafts().some((name) => readdirSync(`${workspace}/${name}`).length > 0))
      yield* Fiber.interrupt(copying)
      yield* until("its draft is gone", () => drafts().length === 0)
      assert.isFalse(existsSync(`${workspace}/copy`))
    }))

  it.effect("file chmod sets the permissions of what a link leads to", () =>
    Effect.gen(function*() {
      const { chmod, workspace } = yield* fresh
      writeFileSync(`${workspace}/file`, "")
      symlinkSync("/workspace/file", `${workspace}/link`)
      symlinkSync("loop", `${workspace}/loop`)
      assert.deepStrictEqual(yield* chmod("link", "4755"), { path: "link", mode: "4755" })
      assert.strictEqual(statSync(`${workspace}/file`).mode & 0o7777, 0o4755)
      yield* chmod("file", "000")
      assert.strictEqual(statSync(`${workspace}/file`).mode & 0o7777, 0)
      assert.strictEqual(yield* reasonOf(chmod("none", "755")), "not_found")
      assert.strictEqual(yield* reasonOf(chmod("loop", "755")), "failed")
    }))
})
