import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Logger } from "effect"
import * as fs from "node:fs"
import { Paths } from "../../../../src/system/files/Paths.ts"
import { makeEntry } from "../../../../src/workspace/entry/entry.ts"
import { folderOf, type WorkspaceId, writeWorkspace } from "../../../../src/workspace/entry/record.ts"
import { makeRegistry } from "../../../../src/workspace/entry/registry.ts"
import { makeFolder } from "../../../../src/workspace/life/verbs/new-workspace.ts"
import { removeAll } from "../../../../src/workspace/life/verbs/remove.ts"
import { eventLog } from "../../../support/workspace/event-log.ts"
import { temporaryDirectory } from "../../lib/disk/temporary-directory.ts"
import { recordOf } from "../record-of.ts"

/** Stopped workspaces by id with their names, and the deletion of them with the lines that the deletion logs. */
const stopped = (workspaces: Readonly<Record<string, string | undefined>>) =>
  Effect.gen(function*() {
    const stateDir = yield* temporaryDirectory
    const scope = yield* Effect.scope
    const registry = makeRegistry()
    for (const [id, name] of Object.entries(workspaces)) {
      const record = { ...recordOf(id, "stopped"), ...(name === undefined ? {} : { name }) }
      const folder = folderOf(stateDir, record.id)
      const entry = yield* makeEntry({ scope }, folder, record)
      yield* entry.state.show("stopped")
      registry.entries.set(record.id, entry)
      yield* makeFolder(folder)
      yield* writeWorkspace(folder, record)
    }
    const lines: Array<string> = []
    const logger = Logger.make<unknown, void>(({ message }) => void lines.push(String(message)))
    const services = Layer.mergeAll(
      eventLog,
      Layer.succeed(Paths, { stateDir, cacheDir: stateDir, memoryDir: stateDir }),
      Logger.layer([logger])
    )
    const remove = (...names: ReadonlyArray<string>) =>
      removeAll({ registry, scope }, { workspaces: names, all: names.length === 0 }).pipe(Effect.provide(services))
    const isThere = (id: string) => fs.existsSync(folderOf(stateDir, id as WorkspaceId).directory)
    return { isThere, lines, remove }
  })

const [one, two, three] = ["ws-0000000001", "ws-0000000002", "ws-0000000003"] as const

describe("the deletion of workspaces", () => {
  it.effect("the daemon's log has a line for each deleted workspace, and none for a failed deletion", () =>
    Effect.gen(function*() {
      const { isThere, lines, remove } = yield* stopped({ [one]: "fix", [two]: undefined, [three]: undefined })
      assert.strictEqual((yield* Effect.flip(remove("fix", "nobody"))).code, "workspace_not_found")
      assert.deepStrictEqual([lines, isThere(one)], [[], true])
      yield* remove("fix")
      assert.deepStrictEqual(lines, [`${one} (fix) is deleted: a request named it`])
      assert.isFalse(isThere(one))
      yield* remove()
      assert.sameMembers(lines.slice(1), [two, three].map((id) => `${id} is deleted: a request named all workspaces`))
    }))
})
