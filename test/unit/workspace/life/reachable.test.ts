import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { callerProject } from "../../../../src/contract/wire/caller-project.ts"
import { damagedBy } from "../../../../src/workspace/entry/damaged.ts"
import { makeEntry } from "../../../../src/workspace/entry/entry.ts"
import { folderOf, type WorkspaceRecord } from "../../../../src/workspace/entry/record.ts"
import { makeRegistry } from "../../../../src/workspace/entry/registry.ts"
import { removeAll } from "../../../../src/workspace/life/verbs/remove.ts"
import { recordOf } from "../record-of.ts"

const idOf = (number: number) => `ws-${String(number).padStart(10, "0")}`

/** A registry of workspaces that are called `w1`, `w2`, … */
const registryOf = (
  ...records: ReadonlyArray<Pick<Partial<WorkspaceRecord>, "builder" | "labels" | "project" | "seedPath" | "tryOf">>
) =>
  Effect.gen(function*() {
    const scope = yield* Effect.scope
    const registry = makeRegistry()
    for (const [at, of] of records.entries()) {
      const record = { ...recordOf(idOf(at + 1), "running"), name: `w${at + 1}`, ...of }
      registry.entries.set(record.id, yield* makeEntry({ scope }, folderOf("/nowhere", record.id), record))
    }
    return { registry, scope }
  })

const as = (project: string, all = false) => Effect.provideService(callerProject, { project, all })

describe("a request for a project", () => {
  it.effect("a request for a project reaches workspaces of the project and of directories beneath it, by list, name and id", () =>
    Effect.gen(function*() {
      const { registry } = yield* registryOf(
        { project: "/p/one" },
        { project: "/p/one/sub" },
        { project: "/p/one-more" },
        { project: "/p" },
        // A record of before: it says what the workspace was seeded from.
        { seedPath: "/p/one" },
        { seedPath: "/p/two" },
        // The server's own project, whatever its model named as a seed.
        { project: "/p/two", seedPath: "/p/one" },
        {}
      )
      const names = Effect.flatMap(
        registry.reachable.entries,
        Effect.forEach((entry) => Effect.map(entry.record.now, ({ name }) => name))
      )
      assert.deepStrictEqual(yield* as("/p/one")(names), ["w1", "w2", "w5"])
      assert.lengthOf(yield* as("/p/one", true)(names), 8)
      assert.lengthOf(yield* names, 8)
      for (let number = 1; number <= 8; number++) {
        const expected = [1, 2, 5].includes(number) ? "Success" : "Failure"
        for (const named of [`w${number}`, idOf(number)]) {
          const found = yield* Effect.result(as("/p/one")(registry.find(named)))
          assert.strictEqual(found._tag, expected, named)
          assert.strictEqual((yield* registry.find(named)).id, idOf(number))
        }
      }
    }))

  it.effect("no request reaches a candidate of a try", () =>
    Effect.gen(function*() {
      const { registry } = yield* registryOf({}, { tryOf: "0123456789ab" })
      for (const named of ["w2", idOf(2)]) {
        assert.strictEqual((yield* Effect.result(registry.find(named)))._tag, "Failure", named)
      }
      const reached = yield* registry.reachable.entries
      assert.deepStrictEqual<ReadonlyArray<string>>(reached.map(({ id }) => id), [idOf(1)])
    }))

  it.effect("a list has no builder of pyro's own, whatever labels a workspace has", () =>
    Effect.gen(function*() {
      const { registry } = yield* registryOf({ labels: { "pyro.builder": "mine" } }, { builder: "docker.io/library/x" })
      const listed = yield* registry.reachable.entries
      assert.deepStrictEqual<ReadonlyArray<string>>(listed.map(({ id }) => id), [idOf(1)])
      // The call that made the builder knows its id.
      assert.strictEqual((yield* registry.find(idOf(2))).id, idOf(2))
      assert.strictEqual((yield* Effect.flip(registry.find("w2")))._tag, "WorkspaceNotFound")
      assert.strictEqual((yield* registry.find(idOf(2).slice(0, -1))).id, idOf(1))
    }))

  it.effect("a request for a project gets no names of other projects in similar names or taken names", () =>
    Effect.gen(function*() {
      const { registry } = yield* registryOf({ project: "/p/one" }, { project: "/p/two" })
      const mistyped = yield* Effect.flip(as("/p/two")(registry.find("w1")))
      assert.deepInclude(mistyped, { _tag: "WorkspaceNotFound", similar: ["w2"] })
      const checked = (name: string) =>
        Effect.flip(as("/p/two")(registry.checkName(name, recordOf(idOf(9), "running"))))
      assert.notProperty(yield* checked("w1"), "workspace")
      assert.strictEqual((yield* checked("w2")).workspace, idOf(2))
    }))

  it.effect("a server without a project reaches only workspaces of such servers", () =>
    Effect.gen(function*() {
      const { registry } = yield* registryOf({ project: "" }, {}, { project: "/p" })
      const found = yield* as("")(registry.reachable.entries)
      assert.deepStrictEqual(found.map(({ id }) => id as string), [idOf(1)])
    }))

  it.effect("a request for a project cannot reach or delete a workspace with a damaged record", () =>
    Effect.gen(function*() {
      const { registry, scope } = yield* registryOf({ project: "/p/one" })
      const { id } = recordOf(idOf(7), "running")
      const failure = { _tag: "FileFailed", path: "record.json", detail: "it is damaged" } as never
      registry.damaged.set(id, damagedBy(failure, { folder: folderOf("/nowhere", id), id }))
      assert.strictEqual((yield* registry.reachable.damaged).size, 1)
      assert.strictEqual((yield* as("/p/one")(registry.reachable.damaged)).size, 0)
      const remove = removeAll({ registry, scope }, { workspaces: [id], all: false }) as Effect.Effect<never, unknown>
      assert.propertyVal(yield* Effect.flip(as("/p/one")(remove)), "_tag", "WorkspaceNotFound")
    }))
})
