import { assert } from "@effect/vitest"
import { Effect, Fiber, Stream } from "effect"
import { execFileSync } from "node:child_process"
import { randomBytes } from "node:crypto"
import {
  appendFileSync,
  existsSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync
} from "node:fs"
import {
  type FileDownloadEvent,
  FileDownloadPayload,
  FileUploadPayload,
  workspaceFileDownload
} from "../../src/contract/rows/workspace-file-stream.ts"
import { guestFiles } from "../../src/lib/guest-channel/guest-path.ts"
import { readBytes, uploadFile } from "../../src/workspace/content/files/stream.ts"
import { until, withConfinedAgent } from "./agent.ts"
import { decoded, freshRoot, reasonOf } from "./fresh-root.ts"

const never = () => Effect.void

/** The operations, and the agent's own root with an empty /workspace in it. */
const fresh = Effect.gen(function*() {
  const { channel, directory: workspace, root } = yield* freshRoot("workspace")
  /** `meddle` runs after each piece. */
  const download = (path: string, fields: object = {}, meddle: (bytes: number) => Effect.Effect<void> = never) =>
    Effect.gen(function*() {
      const payload = decoded(FileDownloadPayload(), { path, ...fields })
      const folding = workspaceFileDownload.fold(payload)
      const pieces: Array<Uint8Array> = []
      let count = 0
      yield* readBytes(channel, payload, { tree: guestFiles() }, (event: FileDownloadEvent) => {
        folding.add(event)
        if (event._tag !== "Output") return Effect.void
        pieces.push(Buffer.from(event.bytes))
        return meddle(count += event.bytes.length)
      })
      return { ...folding.result()!, content: Buffer.concat(pieces) }
    })
  return {
    root,
    workspace,
    download,
    upload: (path: string, stdin: Stream.Stream<Uint8Array>, fields: object = {}) =>
      uploadFile(channel, decoded(FileUploadPayload(), { path, ...fields }), { stdin })
  }
})

withConfinedAgent("streams of files", (it) => {
  it.effect("a download gives all bytes or a range, and says what file it was", () =>
    Effect.gen(function*() {
      const { download, workspace } = yield* fresh
      const bytes = randomBytes(3_000_000)
      writeFileSync(`${workspace}/large`, bytes, { mode: 0o640 })
      symlinkSync("/workspace/large", `${workspace}/link`)
      const whole = yield* download("link")
      assert.deepInclude(whole, { path: "link", bytes: 3_000_000, sizeBytes: 3_000_000, mode: "0640", changed: false })
      assert.isTrue(whole.content.equals(bytes))
      for (
        const [offset, length] of [[0, 1], [2_999_999, 5], [70_000, 1_000_000], [3_000_000, 9], [2 ** 40, 1]] as const
      ) {
        const { content } = yield* download("large", { offset, length })
        assert.isTrue(content.equals(bytes.subarray(offset, offset + length)), `${offset} ${length}`)
      }
      assert.isTrue((yield* download("large", { offset: 2_000_000 })).content.equals(bytes.subarray(2_000_000)))
      writeFileSync(`${workspace}/empty`, "")
      assert.deepInclude(yield* download("empty"), { bytes: 0, changed: false })
      assert.strictEqual(yield* reasonOf(download("nothing")), "not_found")
      assert.strictEqual(yield* reasonOf(download(".")), "is_a_directory")
    }))

  it.effect("a file that grows or shrinks while it is read ends, and is said to have changed", () =>
    Effect.gen(function*() {
      const { download, workspace } = yield* fresh
      const file = `${workspace}/file`
      writeFileSync(file, Buffer.alloc(20_000_000, "a"))
      const grown = yield* download(
        "file",
        {},
        () => Effect.sync(() => appendFileSync(file, Buffer.alloc(100_000, "b")))
      )
      assert.deepInclude(grown, { bytes: 20_000_000, changed: true })
      assert.isFalse(grown.content.includes("b"))
      writeFileSync(file, Buffer.alloc(20_000_000, "a"))
      const shrunk = yield* download("file", {}, () => Effect.sync(() => truncateSync(file, 0)))
      assert.isTrue(shrunk.changed)
      assert.isBelow(shrunk.bytes, 20_000_000)
      writeFileSync(file, Buffer.alloc(20_000_000, "a"))
      const gone = yield* download("file", {}, () => Effect.sync(() => rmSync(file, { force: true })))
      assert.deepInclude(gone, { bytes: 20_000_000, changed: true })
    }))

  it.effect("what is no file is refused without a wait, and no reader holds the guest", () =>
    Effect.gen(function*() {
      const { download, upload, workspace } = yield* fresh
      execFileSync("mkfifo", [`${workspace}/fifo`])
      symlinkSync("fifo", `${workspace}/to-fifo`)
      for (const path of ["fifo", "to-fifo"]) {
        assert.strictEqual(yield* reasonOf(download(path)), "not_a_file")
        assert.strictEqual(yield* reasonOf(upload(path, Stream.make(Buffer.from("x")), { append: true })), "not_a_file")
      }
      // A reader that takes nothing more leaves no helper behind.
      writeFileSync(`${workspace}/large`, Buffer.alloc(64_000_000))
      let begun = false
      const reader = yield* Effect.forkChild(
        download("large", {}, () => Effect.andThen(Effect.sync(() => (begun = true)), Effect.never))
      )
      yield* until("the first piece", () => begun)
      yield* Fiber.interrupt(reader)
      assert.strictEqual((yield* download("large", { length: 1 })).bytes, 1)
    }))

  it.effect("an upload appears whole at its end, with its mode and directories", () =>
    Effect.gen(function*() {
      const { root, upload, workspace } = yield* fresh
      const bytes = randomBytes(3_000_000)
      const pieces = Stream.fromIterable([bytes.subarray(0, 1), bytes.subarray(1, 900_000), bytes.subarray(900_000)])
      const written = yield* upload("a/b/file", pieces, { mode: "750" })
      assert.deepInclude(written, {
        _tag: "Ended",
        path: "a/b/file",
        created: true,
        sizeBytes: 3_000_000,
        mode: "0750"
      })
      assert.isTrue(readFileSync(`${workspace}/a/b/file`).equals(bytes))
      const again = yield* upload("/opt/new", Stream.empty, { expected_version: "absent" })
      assert.deepInclude(again, { path: "/opt/new", created: true, sizeBytes: 0, mode: "0644" })
      assert.isTrue(existsSync(`${root}/opt/new`))
      assert.strictEqual(yield* reasonOf(upload("/opt/new", Stream.empty, { expected_version: "absent" })), "exists")
      rmSync(`${root}/opt`, { recursive: true })
    }))

  it.effect("an upload that ends early leaves the old file and nothing beside it", () =>
    Effect.gen(function*() {
      const { upload, workspace } = yield* fresh
      writeFileSync(`${workspace}/file`, "old")
      let sent = 0
      const endless = Stream.tap(Stream.forever(Stream.make(Buffer.alloc(65_536))), () => Effect.sync(() => sent++))
      const writer = yield* Effect.forkChild(upload("file", endless))
      yield* until("some pieces", () => sent > 20)
      yield* Fiber.interrupt(writer)
      yield* until("the end of the draft", () => readdirSync(workspace).length === 1)
      assert.strictEqual(readFileSync(`${workspace}/file`, "utf8"), "old")
    }))

  it.effect("an append goes to the end of the file at once, and keeps its mode unless one is named", () =>
    Effect.gen(function*() {
      const { upload, workspace } = yield* fresh
      const text = (...all: ReadonlyArray<string>) => Stream.fromIterable(all.map((one) => Buffer.from(one)))
      const file = `${workspace}/log`
      assert.deepInclude(yield* upload("log", text("one\n"), { append: true, mode: "666" }), {
        created: true,
        mode: "0666"
      })
      assert.deepInclude(yield* upload("log", text("two\n", "three\n"), { append: true }), {
        created: false,
        sizeBytes: 14
      })
      assert.strictEqual(readFileSync(file, "utf8"), "one\ntwo\nthree\n")
      assert.strictEqual(statSync(file).mode & 0o777, 0o666)
      yield* upload("log", text("four\n"), { append: true, mode: "600" })
      assert.strictEqual(statSync(file).mode & 0o777, 0o600)
      const half = yield* Effect.forkChild(upload("log", Stream.concat(text("half"), Stream.never), { append: true }))
      yield* until("the first half", () => readFileSync(file, "utf8").endsWith("half"))
      yield* Fiber.interrupt(half)
      assert.strictEqual(readFileSync(file, "utf8"), "one\ntwo\nthree\nfour\nhalf")
      const both = upload("log", Stream.empty, { append: true, expected_version: "absent" })
      assert.strictEqual(yield* reasonOf(both), "InvalidRequest")
    }))
})
