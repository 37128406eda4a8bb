import { assert, it } from "@effect/vitest"
import { Effect, Stream } from "effect"
import { createHash } from "node:crypto"
import * as fs from "node:fs"
import { afterAll, beforeAll } from "vitest"
import type { ExportRefused } from "../../../../../src/contract/errors/errors.ts"
import { typedMessage } from "../../../../../src/contract/rows/next-steps.ts"
import type { ExportPayload } from "../../../../../src/contract/rows/workspace-export.ts"
import { sizeText } from "../../../../../src/contract/text/host-file-notes.ts"
import { TreeCollector } from "../../../../../src/lib/exporting/tree.ts"
import type { WalkEntry } from "../../../../../src/lib/guest-channel/model/files.ts"
import { describeBothWays, exportPath } from "./export-ways.ts"
import { type Claimed, guestWith, payload, resultOf, scratch, someEntry, useSanitizedPut } from "./fake-guest.ts"

const sha = (content: string) => createHash("sha256").update(content, "latin1").digest("hex")

const exported = (claims: Iterable<Claimed>, fields: Partial<ExportPayload>, within?: string) =>
  resultOf(payload(fields), exportPath(guestWith(claims), payload(fields), { within }))

/** Fails when the export does not; gives what it said. */
const refused = (claims: Iterable<Claimed>, fields: Partial<ExportPayload>, within?: string) =>
  Effect.flip(exported(claims, fields, within))

const tree: ReadonlyArray<Claimed> = [
  { path: "d", type: "directory", mode: 0o2777 },
  { path: "d/run", mode: 0o6755, content: "#!/bin/sh\n" },
  { path: "d/e", type: "directory", mode: 0o500 },
  { path: "d/e/secret", mode: 0o600, content: "s" },
  { path: "d/link", type: "symlink", target: "e/secret" },
  { path: "file", mode: 0o666, content: "hello" },
  { path: "FILE", content: "other case" },
  { path: "odd \xff\n\"", content: "odd" }
]

let restore = () => {}
beforeAll(() => void (restore = useSanitizedPut()))
afterAll(() => restore())

it("sizes in a refusal are rounded up in the unit that fits", () => {
  assert.deepStrictEqual([0, 1023, 1024, 1025, 1_048_576, 1_048_577].map(sizeText), [
    "0 bytes",
    "1023 bytes",
    "1 KiB",
    "2 KiB",
    "1 MiB",
    "2 MiB"
  ])
})

describeBothWays("an export of a directory", () => {
  it.live("an exported directory has the guest's files with safe modes and a manifest", () =>
    Effect.gen(function*() {
      const folder = yield* scratch
      const { result } = yield* exported(tree, { output: `${folder}/out` })
      assert.deepStrictEqual(fs.readdirSync(folder), ["out"])
      assert.strictEqual(fs.readFileSync(`${folder}/out/d/e/secret`, "latin1"), "s")
      assert.strictEqual(fs.readlinkSync(`${folder}/out/d/link`), "e/secret")
      assert.strictEqual(fs.readFileSync(Buffer.from(`${folder}/out/odd \xff\n"`, "latin1"), "latin1"), "odd")
      const modeOf = (name: string) => (fs.statSync(`${folder}/out/${name}`).mode & 0o7777).toString(8)
      assert.deepStrictEqual(["d", "d/run", "d/e", "d/e/secret", "file"].map(modeOf), [
        "755",
        "755",
        "700",
        "600",
        "644"
      ])
      assert.deepInclude(result, {
        kind: "directory",
        files: 5,
        directories: 3,
        symlinks: 1,
        bytes: 29,
        skippedCount: 0
      })
      assert.deepStrictEqual(result.entries.map(({ path }) => path), [
        "",
        "FILE",
        "d",
        "d/e",
        "d/e/secret",
        "d/link",
        "d/run",
        "file",
        "\"odd \\377\\n\\\"\""
      ])
      assert.deepStrictEqual(result.entries.find(({ path }) => path === "d/run"), {
        path: "d/run",
        type: "file",
        mode: "0755",
        size: 10,
        sha256: sha("#!/bin/sh\n")
      })
      assert.deepStrictEqual(result.entries.find(({ path }) => path === "d/link"), {
        path: "d/link",
        type: "symlink",
        mode: "0777",
        size: 0,
        target: "e/secret"
      })
    }))

  it.live("an export leaves out and reports git directories, special files and links that lead out", () =>
    Effect.gen(function*() {
      const folder = yield* scratch
      const claims: ReadonlyArray<Claimed> = [
        { path: ".git", type: "directory" },
        { path: ".git/hooks", type: "directory" },
        { path: ".git/hooks/pre-commit", content: "evil" },
        { path: "sub", type: "directory" },
        { path: "sub/.GiT", content: "gitdir: /evil" },
        { path: "sub/git~1", type: "directory" },
        { path: "sub/git~1/config", content: "evil" },
        { path: "sub/.g\xe2\x80\x8cit", type: "symlink", target: "." },
        { path: "fifo", type: "fifo" },
        { path: "disk", type: "block" },
        { path: "tty", type: "character" },
        { path: "sock", type: "socket" },
        { path: "passwd", type: "symlink", target: "/etc/passwd" },
        { path: "up", type: "symlink", target: "../up" },
        { path: "into", type: "symlink", target: ".git/hooks" },
        { path: "chain", type: "symlink", target: "up" },
        { path: "kept", content: "kept" }
      ]
      const { result } = yield* exported(claims, { output: `${folder}/out` })
      assert.deepStrictEqual(fs.readdirSync(`${folder}/out`).sort(), ["kept", "sub"])
      assert.deepStrictEqual(fs.readdirSync(`${folder}/out/sub`), [])
      assert.deepStrictEqual(
        result.skipped.map(({ path }) => path).sort(),
        [
          "\"sub/.g\\342\\200\\214it\"",
          ".git",
          "chain",
          "disk",
          "fifo",
          "into",
          "passwd",
          "sock",
          "sub/.GiT",
          "sub/git~1",
          "tty",
          "up"
        ]
      )
      assert.strictEqual(result.skippedCount, 12)
    }))

  it.live("an export with impossible file names is refused and writes nothing", () =>
    Effect.gen(function*() {
      const folder = yield* scratch
      const names = [
        "../evil",
        "/etc/evil",
        "a\0b",
        "d/../../evil",
        "..",
        ".",
        "d//x",
        "",
        "d/",
        "x".repeat(300),
        "nowhere/x"
      ]
      for (const path of names) {
        const error = yield* refused([{ path: "d", type: "directory" }, { path, content: "evil" }], {
          output: `${folder}/out`
        })
        assert.strictEqual(error._tag, "ExportRefused", JSON.stringify(path))
      }
      // A file cannot have entries, a link neither.
      for (const type of ["file", "symlink"] as const) {
        const claims = [{ path: "x", type, target: "." }, { path: "x/evil", content: "evil" }]
        assert.strictEqual((yield* refused(claims, { output: `${folder}/out` }))._tag, "ExportRefused")
      }
      assert.deepStrictEqual(fs.readdirSync(folder), [])
    }))

  it.live("an export is bounded in entries and bytes before it writes", () =>
    Effect.gen(function*() {
      const folder = yield* scratch
      function* many() {
        for (let i = 0;; i++) yield { path: `file-${i}`, content: "" }
      }
      const claims = { [Symbol.iterator]: many }
      const tooMany = yield* refused(claims, { output: `${folder}/out` })
      assert.include(tooMany.message, "more than 100000 entries")
      // What is not exported is bounded too.
      const collector = new TreeCollector({ path: "", type: "directory", mode: 0o755, size: 0 }, payload({}))
      const below = (path: string): WalkEntry => ({ ...someEntry, path: Buffer.from(path) })
      collector.add({ ...below(".git"), type: "directory" })
      let stopped: ExportRefused | undefined
      for (let i = 0; stopped === undefined && i < 2_000_000; i++) stopped = collector.add(below(".git/x"))
      assert.include(String(stopped?.message), "1000000 paths")
      const sparse = [{ path: "small", content: "1" }, { path: "sparse", size: 4 * 2 ** 30 }]
      const tooMuch = yield* refused(sparse, { output: `${folder}/out` })
      assert.include(tooMuch.message, "4097 MiB, more than 2048 MiB")
      assert.include(tooMuch.message, "sparse: 4096 MiB")
      const huge = yield* refused([{ path: "x", size: 2 ** 52 }], { output: `${folder}/out`, maxMib: 16_777_216 })
      assert.match(huge.message, /more than 16777216 MiB[^]*Export less of it$/)
      const full = yield* refused([{ path: "x", size: 2 ** 43 }], { output: `${folder}/out`, maxMib: 16_777_216 })
      assert.strictEqual(full._tag, "NoSpace")
      assert.deepStrictEqual(fs.readdirSync(folder), [])
    }), 60_000)

  it.live("an export cuts files that grow and leaves out files that disappear", () =>
    Effect.gen(function*() {
      const folder = yield* scratch
      const zeros = Stream.forever(Stream.make(new Uint8Array(65_536)))
      const claims: ReadonlyArray<Claimed> = [
        { path: "a", size: 100, content: zeros },
        { path: "b", size: 500_000, content: zeros },
        { path: "empty", size: 0, content: zeros },
        { path: "gone", size: 10, content: { errno: "ENOENT" } },
        { path: "gone-large", size: 10_000_000, content: { errno: "EISDIR" } },
        { path: "last", content: "whole" },
        { path: "short", size: 5, content: Stream.make(Buffer.from("abc")) }
      ]
      const { result } = yield* exported(claims, { output: `${folder}/out` })
      const sizes = ["a", "b", "last", "short"].map((name) => fs.statSync(`${folder}/out/${name}`).size)
      assert.deepStrictEqual(sizes, [100, 500_000, 5, 3])
      assert.deepStrictEqual(result.skipped.map(({ path }) => path), ["empty", "gone", "gone-large"])
      assert.include(result.skipped[0]?.reason, "it is listed as empty, and the guest has more than 16 MiB")
      assert.notInclude(result.entries.map(({ path }) => path), "gone")
      assert.deepStrictEqual(result.warnings, [{ message: "3 files changed while being exported: a, b, short" }])
      assert.strictEqual(result.entries.find(({ path }) => path === "short")?.size, 3)
      const broken = yield* refused([{ path: "x", size: 10, content: { errno: "EIO" } }], { output: `${folder}/other` })
      assert.strictEqual(broken._tag, "FileRefused")
      assert.deepStrictEqual(fs.readdirSync(folder), ["out"])
    }))

  it.live("an export refuses files that host tools execute, unless allowed, and then names them", () =>
    Effect.gen(function*() {
      const folder = yield* scratch
      const claims: ReadonlyArray<Claimed> = [
        { path: ".vscode", type: "directory" },
        { path: ".vscode/tasks.json", content: "{}" },
        { path: "a", type: "directory" },
        { path: "a/.envrc", content: "evil" },
        { path: "bare", type: "directory" },
        { path: "bare/HEAD", content: "ref: refs/heads/main" },
        { path: "bare/config", content: "[core]\nfsmonitor = evil" },
        { path: "bare/objects", type: "directory" },
        { path: "bare/refs", type: "directory" },
        { path: "file", content: "fine" },
        { path: "split", type: "directory" },
        { path: "split/HEAD", content: "ref: refs/heads/main" },
        { path: "split/commondir", content: "../elsewhere" }
      ]
      const error = yield* refused(claims, { output: `${folder}/out` })
      for (const path of [".vscode/tasks.json", "a/.envrc", "bare", "split"]) assert.include(error.message, path)
      assert.notInclude(error.message, "file:")
      assert.deepStrictEqual(fs.readdirSync(folder), [])
      const { result } = yield* exported(claims, { output: `${folder}/out`, allowExecutableConfig: true })
      assert.deepStrictEqual(result.executableConfig.map(({ path }) => path).sort(), [
        ".vscode/tasks.json",
        "a/.envrc",
        "bare",
        "split"
      ])
      assert.isString(result.entries.find(({ path }) => path === "a/.envrc")?.executableConfig)
      // The output's own name counts as well.
      const harmless = [{ path: "tasks.json", content: "{}" }]
      fs.mkdirSync(`${folder}/.vscode`)
      for (const output of [`${folder}/.vscode`, `${folder}/.vscode/new`]) {
        assert.strictEqual((yield* refused(harmless, { output }))._tag, "ExportRefused", output)
      }
      assert.strictEqual(
        (yield* refused(harmless, { path: "tasks.json", output: `${folder}/.vscode/x` }))._tag,
        "ExportRefused"
      )
      const hooks = yield* refused(harmless, { output: `${folder}/.git/hooks`, allowExecutableConfig: true })
      assert.include(hooks.message, "git directory")
    }))

  it.live("an export reports progress after a second, at most four times a second", () =>
    Effect.gen(function*() {
      const folder = yield* scratch
      const piece = new Uint8Array(1000)
      let now = Date.now()
      const clock = Date.now
      yield* Effect.addFinalizer(() => Effect.sync(() => void (Date.now = clock)))
      Date.now = () => now
      const slow = Stream.range(1, 100).pipe(
        Stream.rechunk(1),
        Stream.map(() => {
          now += 50
          return piece
        })
      )
      const { notices } = yield* exported([{ path: "x", size: 200_000, content: slow }, {
        path: "y",
        size: 200_000,
        content: slow
      }], {
        output: `${folder}/out`
      })
      assert.isAtLeast(notices.length, 5)
      assert.isAtMost(notices.length, 40)
      for (const notice of notices) assert.isTrue(notice._tag === "Notice" && notice.level === "progress")
    }))
})

describeBothWays("an export of a file", () => {
  const claims: ReadonlyArray<Claimed> = [
    ...tree,
    { path: "to-file", type: "symlink", target: "file" },
    { path: "pipe", type: "fifo" }
  ]

  it.live("an exported file becomes the output, or goes to the standard output", () =>
    Effect.gen(function*() {
      const folder = yield* scratch
      const { result } = yield* exported(claims, { path: "/workspace/d/run", output: `${folder}/script` })
      assert.deepStrictEqual(result.entries, [
        { path: "", type: "file", mode: "0755", size: 10, sha256: sha("#!/bin/sh\n") }
      ])
      assert.strictEqual(fs.readFileSync(`${folder}/script`, "latin1"), "#!/bin/sh\n")
      const passed = yield* exported(claims, { path: "file", output: "-" })
      assert.strictEqual(passed.stdout.toString(), "hello")
      assert.deepInclude(passed.result, { output: "-", bytes: 5 })
      assert.strictEqual(passed.result.entries[0]?.sha256, sha("hello"))
    }))

  it.live("an exported file needs a file name if the output is a directory", () =>
    Effect.gen(function*() {
      const folder = yield* scratch
      for (const overwrite of [false, true]) {
        const failure = yield* refused(tree, { path: "file", output: folder, overwrite })
        assert.strictEqual(
          typedMessage(failure),
          `nothing was exported: the output is a directory, and none is ever replaced (${folder}). ` +
            "Name the file to be written in it: --output"
        )
      }
      const failure = yield* refused(tree, { path: "file", output: `${folder}/new/` })
      assert.include(typedMessage(failure), "Name the file to be written in it: --output")
      assert.deepStrictEqual(fs.readdirSync(folder), [])
    }))

  it.live("an export of a missing file, or into a git directory, is refused", () =>
    Effect.gen(function*() {
      const folder = yield* scratch
      const output = `${folder}/out`
      const reasonOf = (path: string) =>
        Effect.map(
          refused(claims, { path, output }),
          (error) => error._tag === "FileRefused" ? error.reason : error._tag
        )
      assert.strictEqual(yield* reasonOf("missing"), "not_found")
      assert.strictEqual(yield* reasonOf("to-file"), "not_a_file")
      assert.strictEqual(yield* reasonOf("pipe"), "not_a_file")
      assert.strictEqual(yield* reasonOf("/workspace/../etc/passwd"), "outside")
      assert.strictEqual(yield* reasonOf("d/../../etc"), "outside")
      assert.strictEqual(yield* reasonOf(".GIT/config"), "ExportRefused")
      const gone = yield* refused([{ path: "x", size: 3, content: { errno: "ENOENT" } }], { path: "x", output })
      assert.strictEqual(gone._tag, "FileRefused")
      assert.deepStrictEqual(fs.readdirSync(folder), [])
    }))

  it.live("an export stays in the caller's directory, whatever links lead out", () =>
    Effect.gen(function*() {
      const folder = fs.realpathSync(yield* scratch)
      fs.mkdirSync(`${folder}/project/sub`, { recursive: true })
      fs.mkdirSync(`${folder}/other`)
      fs.symlinkSync("../other", `${folder}/project/away`)
      fs.symlinkSync("sub", `${folder}/project/near`)
      const within = `${folder}/project`
      const write = (output: string) => exported(claims, { path: "file", output: `${folder}/${output}` }, within)
      for (const output of ["other/x", "project/away/x", "project/sub/../../other/x", "project/../other/x"]) {
        // The caller's places are looked at first, where there are some.
        assert.include(["ExportRefused", "InvalidRequest"], (yield* Effect.flip(write(output)))._tag, output)
      }
      yield* write("project/x")
      yield* write("project/sub/y")
      // The surface resolves links, so a link on the path appeared after it judged the path.
      assert.strictEqual((yield* Effect.flip(write("project/near/z")))._tag, "ExportRefused")
      assert.deepStrictEqual(fs.readdirSync(`${folder}/other`), [])
      assert.deepStrictEqual(fs.readdirSync(`${folder}/project/sub`), ["y"])
      fs.renameSync(within, `${folder}/elsewhere`)
      fs.symlinkSync("other", within)
      assert.strictEqual((yield* Effect.flip(write("project/x")))._tag, "ExportRefused")
      assert.deepStrictEqual(fs.readdirSync(`${folder}/other`), [])
    }))
})
