import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { execFileSync } from "node:child_process"
import * as fs from "node:fs"
import * as path from "node:path"
import { withLock } from "../../../../src/system/files/lock.ts"
import { daemonFiles, Paths } from "../../../../src/system/files/Paths.ts"
import { folderOf, type WorkspaceId, writeWorkspace } from "../../../../src/workspace/entry/record.ts"
import { sweepWorkspaces } from "../../../../src/workspace/life/engine/sweep.ts"
import { temporaryDirectory } from "../../lib/disk/temporary-directory.ts"
import { recordOf } from "../record-of.ts"

const ids = {
  whole: "ws-0000000001",
  noRecord: "ws-0000000002",
  creating: "ws-0000000003",
  deleting: "ws-0000000004",
  candidate: "ws-0000000005"
} as const

/** A state directory as crashes left it; nothing of it is known to a process. */
const state = Effect.gen(function*() {
  const stateDir = yield* temporaryDirectory
  const folder = (id: string) => folderOf(stateDir, id as WorkspaceId)
  for (const id of Object.values(ids)) {
    for (const disk of id === ids.noRecord ? [] : [0, 1]) fs.mkdirSync(folder(id).disk(disk), { recursive: true })
  }
  fs.mkdirSync(folder(ids.noRecord).directory)
  yield* writeWorkspace(folder(ids.whole), recordOf(ids.whole, "stopped"))
  yield* writeWorkspace(folder(ids.creating), recordOf(ids.creating, "creating"))
  yield* writeWorkspace(folder(ids.deleting), recordOf(ids.deleting, "deleting"))
  // A try was interrupted.
  yield* writeWorkspace(folder(ids.candidate), { ...recordOf(ids.candidate, "running"), tryOf: "0123456789ab" })
  fs.mkdirSync(path.join(stateDir, "workspaces", "notes"))
  const there = () =>
    fs.readdirSync(path.join(stateDir, "workspaces")).sort().flatMap((name) =>
      name === ids.whole
        ? [name, ...fs.readdirSync(folder(name).directory).filter((one) => one.startsWith("disk"))]
        : name
    )
  const sweep = <A, E>(work: Effect.Effect<A, E, Paths>) =>
    Effect.provide(work, Layer.succeed(Paths, { stateDir, cacheDir: stateDir, memoryDir: stateDir }))
  return { folder, there, sweep }
})

describe("leftovers of workspaces", () => {
  it.live("the sweep removes leftovers of workspaces if no process has the workspaces", () =>
    Effect.gen(function*() {
      const { folder, sweep, there } = yield* state
      const before = there()
      const held = yield* sweep(
        Effect.flatMap(daemonFiles, ({ lock }) => withLock(lock, { timeoutMs: 1000 })(sweepWorkspaces))
      )
      assert.deepStrictEqual(held, { swept: [], stay: [] })
      assert.deepStrictEqual(there(), before)

      const { swept } = yield* sweep(sweepWorkspaces)
      assert.deepStrictEqual(swept.map(({ kind, what }) => `${kind} ${what}`).sort(), [
        `disk ${folder(ids.whole).disk(0)}`,
        ...[ids.noRecord, ids.creating, ids.deleting, ids.candidate].map((id) => `workspace ${folder(id).directory}`)
      ])
      assert.deepStrictEqual(there(), ["notes", ids.whole, "disk-1"])
      assert.deepStrictEqual(yield* sweep(sweepWorkspaces), { swept: [], stay: [] })
    }))

  it.live("the sweep removes hidden snapshots, except the one that an interrupted reset still needs", () =>
    Effect.gen(function*() {
      const { folder, sweep } = yield* state
      const { snapshots } = folder(ids.whole)
      for (const name of [".try-a", ".try-b", "green"]) fs.mkdirSync(path.join(snapshots, name), { recursive: true })
      yield* writeWorkspace(folder(ids.whole), { ...recordOf(ids.whole, "stopped"), restoredFrom: ".try-b" })
      yield* sweep(sweepWorkspaces)
      assert.deepStrictEqual(fs.readdirSync(snapshots).sort(), [".try-b", "green"])
    }))

  it.live("the sweep keeps leftovers while a record is unreadable or missing beside a disk", () =>
    Effect.gen(function*() {
      const { folder, sweep, there } = yield* state
      fs.writeFileSync(folder(ids.whole).record, "{\"format\": 2}")
      const before = there()
      assert.deepStrictEqual(yield* sweep(sweepWorkspaces), { swept: [], stay: [] })
      assert.deepStrictEqual(there(), before)
      fs.rmSync(folder(ids.whole).record)
      assert.deepStrictEqual(yield* sweep(sweepWorkspaces), { swept: [], stay: [] })
      assert.deepStrictEqual(there(), before)
    }))

  it.live("the sweep reports what it cannot remove and removes the rest", () =>
    Effect.gen(function*() {
      const { folder, sweep } = yield* state
      const workspaces = path.dirname(folder(ids.whole).directory)
      const aside = ["0", "1", "2"].map((name) => path.join(workspaces, `.swept-${name}`))
      for (const one of aside) fs.mkdirSync(one)
      const stubborn = path.join(aside[1]!, "mounted")
      fs.mkdirSync(stubborn)
      execFileSync("mount", ["-t", "tmpfs", "tmpfs", stubborn])
      const { stay, swept } = yield* Effect.ensuring(
        sweep(sweepWorkspaces),
        Effect.sync(() => execFileSync("umount", [stubborn]))
      )
      assert.strictEqual(swept.length, 5)
      assert.deepStrictEqual(stay.map((one) => one.path), [aside[1]])
      assert.match(stay[0]!.message, /it cannot be removed: EBUSY/)
      assert.deepStrictEqual(aside.map((one) => fs.existsSync(one)), [false, true, false])
      assert.deepStrictEqual(yield* sweep(sweepWorkspaces), { swept: [], stay: [] })
    }))
})
