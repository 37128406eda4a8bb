import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import { folderOf, WorkspaceId } from "../../../../../src/workspace/entry/record.ts"
import { noStates } from "../../../../../src/workspace/entry/resident.ts"
import { makePoint, pointFolder, readPoints, writePoint } from "../../../../../src/workspace/life/records/point.ts"

const record = (id: string, number: number, commands = number) => ({
  format: 1 as const,
  id,
  number,
  commands,
  running: [],
  undone: [],
  writtenBytes: 0,
  captured: { takenAtMs: 1, layers: 0, residents: noStates }
})

/** A workspace's folder with these points. */
const withPoints = (...ids: ReadonlyArray<string>) =>
  Effect.gen(function*() {
    const state = yield* Effect.acquireRelease(
      Effect.sync(() => fs.mkdtempSync(path.join(os.tmpdir(), "pyro-points-"))),
      (folder) => Effect.sync(() => fs.rmSync(folder, { recursive: true, force: true }))
    )
    const folder = folderOf(state, WorkspaceId.make("ws-0123456789"))
    for (const [at, id] of ids.entries()) {
      yield* makePoint(folder, id, (half) =>
        Effect.sync(() => {
          fs.mkdirSync(half.directory, { recursive: true })
          return record(id, at + 1)
        }))
    }
    return folder
  })

describe("the points of a workspace", () => {
  it.effect("a second read finds points that were added, changed and removed since the first", () =>
    Effect.gen(function*() {
      const folder = yield* withPoints("pt-1", "pt-2", "pt-3")
      const read = Effect.map(
        readPoints(folder),
        (points) => points.map(({ record: { commands, id } }) => `${id} ${commands}`)
      )
      assert.deepStrictEqual(yield* read, ["pt-1 1", "pt-2 2", "pt-3 3"])
      fs.rmSync(pointFolder(folder, "pt-1").directory, { recursive: true })
      yield* writePoint(folder, pointFolder(folder, "pt-2"), record("pt-2", 2, 7))
      fs.writeFileSync(pointFolder(folder, "pt-3").record, "{")
      assert.deepStrictEqual(yield* read, ["pt-2 7"])
      yield* writePoint(folder, pointFolder(folder, "pt-3"), record("pt-3", 1, 9))
      assert.deepStrictEqual(yield* read, ["pt-3 9", "pt-2 7"])
    }))

  it.effect("a read decodes the record of an unchanged point once", () =>
    Effect.gen(function*() {
      const folder = yield* withPoints("pt-1")
      const [first] = yield* readPoints(folder)
      const [again] = yield* readPoints(folder)
      assert.strictEqual(again?.record, first?.record)
    }))
})
