import { assert } from "@effect/vitest"
import { Effect, Exit, Layer, Schema } from "effect"
import * as RpcSerialization from "effect/rpc/RpcSerialization"
import * as fs from "node:fs"
import * as path from "node:path"
import type { PureSchema } from "../../src/contract/rows/operation.ts"
import { DiffPayload, DiffResult } from "../../src/contract/rows/workspace-diff.ts"
import { FileContent, FileList, FileListPayload, FileReadPayload } from "../../src/contract/rows/workspace-file.ts"
import { LogsPayload, LogsResult } from "../../src/contract/rows/workspace-logs.ts"
import { SyncPushed } from "../../src/contract/rows/workspace-sync.ts"
import { MAX_RESULT_BYTES } from "../../src/contract/text/first-of.ts"
import { layerSerialization } from "../../src/contract/wire/serialization.ts"
import { SeedImages } from "../../src/lib/disk/SeedImages.ts"
import { baselineRoot } from "../../src/lib/guest-channel/model/calls.ts"
import { syncPush } from "../../src/lib/seeding/push.ts"
import { HostFacts } from "../../src/lib/vm/model/HostFacts.ts"
import { Paths } from "../../src/system/files/Paths.ts"
import { diffWorkspace } from "../../src/workspace/content/diff/diff.ts"
import { listFiles } from "../../src/workspace/content/files/list.ts"
import { readFile } from "../../src/workspace/content/files/read.ts"
import { folderOf, newWorkspaceId } from "../../src/workspace/entry/record.ts"
import { openCommands } from "../../src/workspace/residents/exec/command-registry.ts"
import { logs } from "../../src/workspace/residents/exec/logs.ts"
import { Agent, withAgent, withConfinedAgent } from "./agent.ts"

const MESSAGE_BYTES = 16 * 1024 * 1024

const { codecFor, makeUnsafe } = Effect.runSync(Effect.provide(RpcSerialization.RpcSerialization, layerSerialization()))

/** What a result takes as the answer to a request. */
const messageBytes = (schema: () => PureSchema, result: unknown) => {
  const exit = codecFor(Schema.Exit(schema(), Schema.Never, Schema.Defect())) as PureSchema
  const packed = makeUnsafe().encode({
    _tag: "Exit",
    requestId: "1",
    exit: Schema.encodeUnknownSync(exit)(Exit.succeed(result))
  }) as Uint8Array
  return packed.length
}

const fits = (schema: () => PureSchema, result: unknown) =>
  assert.isBelow(messageBytes(schema, result), MESSAGE_BYTES - 65_536)

/** A path as long as paths can be, of bytes that take four characters each to be told. */
const worstName = (number: number) =>
  Buffer.concat([
    ...Array.from({ length: 13 }, () => Buffer.from(`${"\xff".repeat(250)}/`, "latin1")),
    Buffer.from(`${String(number).padStart(6, "0")}${"\xff".repeat(240)}`, "latin1")
  ])

const fill = (tree: string, count: number, content: string | Uint8Array) => {
  const first = Buffer.concat([Buffer.from(`${tree}/`), worstName(0)])
  fs.mkdirSync(first.subarray(0, first.lastIndexOf("/")) as never, { recursive: true })
  for (let number = 0; number < count; number++) {
    fs.writeFileSync(Buffer.concat([Buffer.from(`${tree}/`), worstName(number)]), content)
  }
}

withAgent("the largest result", (it) => {
  it.effect("the largest diff fits a message and reports what it leaves out", () =>
    Effect.gen(function*() {
      const channel = yield* Agent.connect()
      const home = path.join((yield* Agent).folder, "diff")
      const [disk, live] = [path.join(home, "disk"), path.join(home, "live")]
      fs.mkdirSync(path.join(disk, "workspace"), { recursive: true })
      fs.mkdirSync(live)
      fill(live, 2_000, "\n")
      // Not UTF-8: each byte of the patch is three in the result.
      fs.writeFileSync(path.join(live, "!first"), Buffer.alloc(6_000_000, `${"\xff".repeat(99)}\n`, "latin1"))
      const trees = {
        device: disk,
        baseline: { root: baselineRoot, path: "workspace" },
        live: { root: live, path: "" }
      }
      const payload = Schema.decodeUnknownSync(DiffPayload())({ workspace: "w", max_bytes: 4_194_304 })
      for (const options of [{}, { nameOnly: true }, { stat: true }]) {
        const diff = yield* diffWorkspace(channel, { ...payload, ...options }, { trees })
        assert.strictEqual(diff.summary.files, 2_001)
        assert.strictEqual(diff.files.length + diff.unlisted, 2_001)
        assert.isAbove(diff.unlisted, 0)
        assert.isAbove(diff.files.length, 100)
        fits(DiffResult, diff)
        if (diff.patch !== undefined) assert.deepStrictEqual([diff.truncated, diff.lossy], [true, true])
      }
      // Three walks of 2,000 paths of 4,000 bytes, by a sanitizer build.
    }), 240_000)

  it.effect("the largest push result fits a message and counts all files", () =>
    Effect.gen(function*() {
      const channel = yield* Agent.connect()
      const folder = path.join((yield* Agent).folder, "push")
      const [host, live, disk, state] = ["host", "live", "disk", "state"].map((part) => path.join(folder, part)) as [
        string,
        string,
        string,
        string
      ]
      for (const one of [host, live, path.join(disk, "workspace"), state]) fs.mkdirSync(one, { recursive: true })
      fill(host, 2_000, "host\n")
      // Every second one is there already, as another's.
      fill(live, 1_000, "guest\n")
      yield* channel.call.baseline({ device: disk })
      const paths = { cacheDir: state, stateDir: state, memoryDir: state }
      const services = Layer.merge(SeedImages.layer, HostFacts.layer).pipe(
        Layer.provideMerge(Layer.succeed(Paths, paths))
      )
      const pushed = yield* syncPush(
        channel,
        { sourcePath: host, dest: "", includeIgnored: [], allowHome: false, force: false, delete: false },
        { folder: state, live: { root: live, path: "." }, baseline: { root: baselineRoot, path: "workspace" } }
      ).pipe(Effect.provide(services))
      assert.deepStrictEqual([pushed.filesPushed, pushed.conflictCount], [1_000, 1_000])
      assert.isBelow(pushed.files.length, 1_000)
      assert.isAbove(pushed.files.length, 100)
      fits(SyncPushed, pushed)
    }))

  it.effect("the largest list of commands fits a message and keeps the newest", () =>
    Effect.gen(function*() {
      const folder = folderOf((yield* Agent).folder, newWorkspaceId())
      fs.mkdirSync(folder.directory, { recursive: true })
      const commands = yield* openCommands(folder)
      for (let number = 0; number < 10_000; number++) {
        commands.journal.started({
          id: number.toString(16).padStart(32, "0"),
          command: ["printf", "\u0001\uffff".repeat(5_000)],
          startedAt: "2026-01-01T00:00:00.000Z"
        })
      }
      const listed = yield* logs(commands, Schema.decodeUnknownSync(LogsPayload())({ workspace: "w", limit: 10_000 }))
      assert.strictEqual(listed.commands.length + (listed.olderCount ?? 0), 10_000)
      assert.isAbove(listed.commands.length, 300)
      assert.strictEqual(listed.commands.at(-1)?.execId, (9_999).toString(16).padStart(32, "0"))
      fits(LogsResult, listed)
    }))
})

withConfinedAgent("the largest result", (it) => {
  it.effect("the largest listing and read fit a message", () =>
    Effect.gen(function*() {
      const channel = yield* Agent.connect()
      const { folder } = yield* Agent
      const workspace = `${folder}/${fs.readdirSync(folder).find((name) => name.startsWith("root-"))}/workspace`
      fs.mkdirSync(workspace)
      fill(workspace, 2_000, "")
      const list = Schema.decodeUnknownSync(FileListPayload())({ workspace: "w", recursive: true, limit: 10_000 })
      const listed = yield* listFiles(channel, list)
      assert.deepStrictEqual([listed.truncated, listed.total], [true, 2_013])
      assert.isAbove(listed.entries.length, 100)
      fits(FileList, listed)
      fs.writeFileSync(`${workspace}/!first`, Buffer.alloc(8_000_000, "\xff\xff\xff\n", "latin1"))
      const read = yield* readFile(
        channel,
        Schema.decodeUnknownSync(FileReadPayload())({ workspace: "w", path: "!first", max_bytes: 4_194_304 })
      )
      assert.deepStrictEqual([read.truncated, read.lossy], [true, true])
      fits(FileContent, read)
      assert.isBelow(MAX_RESULT_BYTES, MESSAGE_BYTES)
    }))
})
