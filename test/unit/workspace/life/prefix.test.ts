import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import { FileFailed } from "../../../../src/system/files/failure.ts"
import { damagedBy } from "../../../../src/workspace/entry/damaged.ts"
import { makeEntry } from "../../../../src/workspace/entry/entry.ts"
import { folderOf, type WorkspaceId } from "../../../../src/workspace/entry/record.ts"
import { makeRegistry } from "../../../../src/workspace/entry/registry.ts"
import { wholeSnapshotName } from "../../../../src/workspace/life/records/snapshot.ts"
import { withExecId } from "../../../../src/workspace/operations/exec.ts"
import type { Commands } from "../../../../src/workspace/residents/exec/command-registry.ts"
import { recordOf } from "../record-of.ts"

const registryOf = (workspaces: Readonly<Record<string, string | undefined>>) =>
  Effect.gen(function*() {
    const scope = yield* Effect.scope
    const registry = makeRegistry()
    for (const [id, name] of Object.entries(workspaces)) {
      const record = { ...recordOf(id, "running"), ...(name === undefined ? {} : { name }) }
      registry.entries.set(record.id, yield* makeEntry({ scope }, folderOf("/nowhere", record.id), record))
    }
    return registry
  })

describe("a workspace's id", () => {
  it.effect("a workspace is found by an unambiguous prefix of its id", () =>
    Effect.gen(function*() {
      const { find } = yield* registryOf({
        "ws-0123456789": "fix",
        "ws-01ff456789": undefined,
        "ws-a000000000": "ws-0"
      })
      assert.strictEqual((yield* find("ws-012")).id, "ws-0123456789")
      assert.strictEqual((yield* find("ws-a")).id, "ws-a000000000")
      // A name is meant before the beginning of an id.
      assert.strictEqual((yield* find("ws-0")).id, "ws-a000000000")
      // Four digits do without ws-.
      assert.strictEqual((yield* find("0123")).id, "ws-0123456789")
      assert.strictEqual((yield* find("0123456789")).id, "ws-0123456789")
      for (const none of ["ws-", "ws", "012", "0129", "ws-0129", "fi"]) {
        assert.strictEqual((yield* Effect.flip(find(none)))._tag, "WorkspaceNotFound", none)
      }
    }))

  it.effect("an ambiguous prefix of workspace ids is refused with all matches", () =>
    Effect.gen(function*() {
      const { find } = yield* registryOf({ "ws-0123456789": "fix", "ws-01ff456789": undefined })
      const error = yield* Effect.flip(find("ws-01"))
      assert.strictEqual(error._tag, "IdAmbiguous")
      assert.strictEqual(
        error.message,
        "\"ws-01\" is the beginning of several workspaces: ws-0123456789, ws-01ff456789. Type more characters"
      )
    }))

  it.effect("a damaged workspace is found by a prefix of its id", () =>
    Effect.gen(function*() {
      const { damaged, lookUp } = yield* registryOf({ "ws-0123456789": "fix" })
      const id = "ws-b000000000" as WorkspaceId
      damaged.set(
        id,
        damagedBy(new FileFailed({ operation: "write", path: "/x", detail: "odd" }), {
          folder: folderOf("/nowhere", id),
          id
        })
      )
      assert.strictEqual((yield* lookUp("ws-b")).id, id)
    }))
})

describe("a command's id", () => {
  const ids = ["4f0c6a1e9b7d42c58f3e6a7b8c9d0e1f", "4fffffffffffffffffffffffffffffff"]
  const commands = { journal: { commands: ids.map((id) => ({ start: { id } })) } } as unknown as Commands
  const of = (execId: string, more: object = {}) => withExecId(commands, { workspace: "fix", execId, ...more })

  it.effect("a command is found by an unambiguous prefix of its id", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* of("4f0"), { workspace: "fix", execId: ids[0] })
      assert.deepStrictEqual(yield* of(ids[1]!), { workspace: "fix", execId: ids[1] })
      const error = yield* Effect.flip(of("4f"))
      assert.strictEqual(error.code, "id_ambiguous")
      assert.include(error.message, ids.join(", "))
      for (const none of ["5", ""]) assert.strictEqual((yield* Effect.flip(of(none))).code, "exec_not_found")
    }))

  it.effect("a new command refuses a prefix as its id", () =>
    Effect.gen(function*() {
      assert.strictEqual((yield* Effect.flip(of("4f0", { command: ["ls"] }))).code, "invalid_request")
      assert.strictEqual((yield* Effect.flip(of("4f0", { script: "ls" }))).code, "invalid_request")
    }))
})

describe("a snapshot's name", () => {
  it.effect("a snapshot is found by an unambiguous prefix of its name if it is only read", () =>
    Effect.gen(function*() {
      const state = fs.mkdtempSync(path.join(os.tmpdir(), "pyro-prefix-"))
      yield* Effect.addFinalizer(() => Effect.sync(() => fs.rmSync(state, { recursive: true })))
      const folder = folderOf(state, "ws-0123456789" as WorkspaceId)
      for (const name of ["green", "green-2", "red"]) {
        fs.mkdirSync(path.join(folder.snapshots, name), { recursive: true })
      }
      const whole = (name: string) => wholeSnapshotName({ folder }, name)
      assert.strictEqual(yield* whole("r"), "red")
      assert.strictEqual(yield* whole("green"), "green")
      assert.strictEqual(yield* whole("green-"), "green-2")
      assert.strictEqual(yield* whole("blue"), "blue")
      assert.strictEqual((yield* Effect.flip(whole("gr"))).code, "id_ambiguous")
      fs.rmSync(folder.snapshots, { recursive: true })
      fs.writeFileSync(folder.snapshots, "")
      assert.deepInclude(yield* Effect.flip(whole("gr")), { code: "state_directory_unusable", path: folder.snapshots })
    }))
})
