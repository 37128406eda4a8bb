import { assert, describe, it } from "@effect/vitest"
import { Effect, Option } from "effect"
import * as fs from "node:fs"
import * as path from "node:path"
import type { PyroError } from "../../../../src/contract/errors/errors.ts"
import { typedMessage } from "../../../../src/contract/rows/next-steps.ts"
import { damagedBy, damagedInfo } from "../../../../src/workspace/entry/damaged.ts"
import { folderOf, readWorkspace, type WorkspaceId, writeWorkspace } from "../../../../src/workspace/entry/record.ts"
import { makeRegistry } from "../../../../src/workspace/entry/registry.ts"
import { readSaved, savedFolder } from "../../../../src/workspace/life/records/saved.ts"
import {
  findSnapshot,
  readSnapshots,
  snapshotFolder,
  snapshotInfo
} from "../../../../src/workspace/life/records/snapshot.ts"
import { residentKinds } from "../../../../src/workspace/residents/open/kinds.ts"
import { temporaryDirectory } from "../../lib/disk/temporary-directory.ts"

const fixture = (name: string) => new URL(`../../../fixtures/records/format-1/${name}.json`, import.meta.url)
const id = "ws-c9e6e77027" as WorkspaceId

/** A workspace with one snapshot, `before`, as a pyro that wrote format 1 left them; `change` replaces fields of both records. */
const left = (change: Readonly<Record<string, unknown>> = {}) =>
  Effect.map(temporaryDirectory, (stateDir) => {
    const folder = folderOf(stateDir, id)
    const place = snapshotFolder(folder, "before")
    fs.mkdirSync(place.directory, { recursive: true })
    for (const [name, to] of [["workspace", folder.record], ["snapshot", place.record]] as const) {
      fs.writeFileSync(to, JSON.stringify({ ...JSON.parse(fs.readFileSync(fixture(name), "utf8")), ...change }))
    }
    return { folder, find: findSnapshot({ id, folder } as never, "before"), place }
  })

describe("records of workspaces and snapshots", () => {
  it.live("a record of format 1 is read, and written in the present format", () =>
    Effect.gen(function*() {
      const { folder } = yield* left()
      const record = Option.getOrThrow(yield* readWorkspace(folder, residentKinds))
      assert.deepInclude(record, {
        format: 3,
        workspaceUser: "root",
        staleResidents: true,
        restoredFrom: "before",
        name: "old",
        generation: 1
      })
      assert.deepStrictEqual(Object.keys(record.residents), [])
      assert.notProperty(record, "staleCommands")
      yield* writeWorkspace(folder, record)
      const stored = JSON.parse(fs.readFileSync(folder.record, "utf8"))
      assert.deepInclude(stored, { format: 3, residents: {}, staleResidents: true })
      assert.deepStrictEqual(Option.getOrThrow(yield* readWorkspace(folder, residentKinds)), record)
    }))

  it.live("a snapshot's record of format 1 keeps the commands that ran", () =>
    Effect.gen(function*() {
      const { find } = yield* left()
      const { record } = yield* find
      const command = "a0e297782f154c35b5e94f543a8191cb"
      assert.notProperty(record.captured.memory, "commands")
      assert.deepNestedInclude(record.captured.residents, {
        "execs.format": 1,
        "execs.state[0].start.id": command,
        "execs.state[0].segments": [{ number: 0, size: 35 }]
      })
      assert.strictEqual(snapshotInfo(yield* find).runningCommands, 1)
    }))

  it.live("a snapshot's record of format 1 without memory is read", () =>
    Effect.gen(function*() {
      const { find } = yield* left({ taken: { takenAtMs: 1, layers: 1 } })
      const snapshot = yield* find
      assert.deepStrictEqual(Object.keys(snapshot.record.captured.residents), [])
      assert.deepInclude(snapshotInfo(snapshot), { kind: "disk", runningCommands: 0 })
    }))

  it.live("a record of a newer pyro is refused with the next command", () =>
    Effect.gen(function*() {
      const { find, folder, place } = yield* left({ format: 4 })
      const workspace = yield* Effect.flip(readWorkspace(folder, residentKinds))
      assert.deepInclude(workspace, { _tag: "StateTooNew", code: "state_too_new", format: 4, newest: 3 })
      assert.include(typedMessage(workspace as PyroError), `delete this state: pyro delete ${id}`)
      const snapshot = yield* Effect.flip(find)
      assert.deepInclude(snapshot, { _tag: "StateTooNew", path: place.record, format: 4, newest: 2 })
      assert.include(typedMessage(snapshot as PyroError), `pyro snapshot delete ${id} before`)
      assert.deepStrictEqual(yield* readSnapshots(folder), [])
    }))

  it.live("a record with a resident of a newer pyro is refused", () =>
    Effect.gen(function*() {
      const { folder } = yield* left({ format: 2, residents: { cameras: { format: 1, state: [] } } })
      const failure = yield* Effect.flip(readWorkspace(folder, residentKinds))
      assert.deepInclude(failure, { _tag: "StateTooNew", part: "the state of its \"cameras\"", newest: 0 })
    }))

  it.live.each<readonly [string, Readonly<Record<string, unknown>>]>([
    ["format 0", { format: 0 }],
    ["a format that is no number", { format: "2" }],
    ["a field of another type", { labels: 7, taken: { layers: "one" } }],
    ["residents of another type", { format: 2, residents: { execs: { format: 1, state: "none" } } }]
  ])("a record with %s is damaged", ([, change]) =>
    Effect.gen(function*() {
      const { find, folder } = yield* left(change)
      assert.deepInclude(yield* Effect.flip(readWorkspace(folder, residentKinds)), { _tag: "FileFailed" })
      const snapshot = yield* Effect.flip(find)
      assert.strictEqual(snapshot._tag, "StateDirectoryUnusable")
    }))

  it.live("a workspace with a network device, which an older pyro had, is listed as failed with the next command", () =>
    Effect.gen(function*() {
      const { folder } = yield* left({ networkDriver: "tap" })
      const registry = makeRegistry()
      const damaged = damagedBy(yield* Effect.flip(readWorkspace(folder, residentKinds)), { folder, id })
      registry.damaged.set(id, damaged)
      const failure = yield* Effect.flip(registry.find(id))
      assert.strictEqual(failure._tag, "WorkspaceNotReady")
      for (const said of ["networkDriver: the workspace had a network device", "or delete the workspace"]) {
        assert.include(failure.message, said)
        assert.include(damagedInfo(damaged).detail, said)
      }
    }))

  it.live("a saved snapshot of a workspace with a network device is refused with the next command", () =>
    Effect.gen(function*() {
      const folder = savedFolder(path.join(yield* temporaryDirectory, "warm"))
      fs.mkdirSync(folder.directory)
      const { diskMib, environment, memoryMib, vcpuCount } = JSON.parse(fs.readFileSync(fixture("workspace"), "utf8"))
      const workspace = { environment, vcpuCount, memoryMib, diskMib, workspaceUser: "root" }
      const record = {
        ...{ format: 1, id: "s", name: "warm", createdAt: "2026-01-01T00:00:00.000Z", hostBoot: "b", durable: false },
        ...{ hasNetwork: false, captured: { takenAtMs: 1, layers: 1, residents: {} } }
      }
      fs.writeFileSync(folder.record, JSON.stringify({ ...record, workspace }))
      assert.strictEqual(Option.getOrThrow(yield* readSaved(folder)).record.name, "warm")
      fs.writeFileSync(folder.record, JSON.stringify({ ...record, workspace: { ...workspace, networkDriver: "tap" } }))
      const failure = yield* Effect.flip(readSaved(folder))
      assert.deepInclude(failure, { _tag: "SavedDamaged", saved: "warm" })
      assert.include(failure.message, "networkDriver: the workspace had a network device")
      assert.include(typedMessage(failure), "pyro saved delete warm")
    }))

  it.live("a workspace of a newer pyro is listed as failed, and its requests fail with state_too_new", () =>
    Effect.gen(function*() {
      const { folder } = yield* left({ format: 4 })
      const registry = makeRegistry()
      const damaged = damagedBy(yield* Effect.flip(readWorkspace(folder, residentKinds)), { folder, id })
      registry.damaged.set(id, damaged)
      assert.deepInclude(yield* Effect.flip(registry.find(id)), { _tag: "StateTooNew", format: 4 })
      const info = damagedInfo(damaged)
      assert.strictEqual(info.state, "failed")
      assert.include(info.detail, path.basename(folder.record))
    }))
})
