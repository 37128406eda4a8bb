import { Effect, Stream } from "effect"
import { assert, describe, it } from "vitest"
import type { PyroService } from "../../../src/contract/rows/Pyro.ts"
import { Workspace } from "../../../src/sdk/handle.ts"
import { handleService, infoOf, rejection } from "./handle-service.ts"

/** A service that makes the forks it is asked for. `deleted` has the ids of those that it was told to delete. */
const forkService = () => {
  const deleted: Array<string> = []
  const asked: Array<unknown> = []
  const over: Partial<PyroService["workspace"]> = {
    fork: (payload) =>
      Stream.sync(() => {
        asked.push(payload)
        const workspaces = Array.from({ length: payload.count }, (_, at) => infoOf(`ws-fork-${at + 1}`))
        return { _tag: "Forked" as const, workspaces }
      }),
    delete: ({ workspaces }) =>
      Effect.sync(() => {
        deleted.push(...workspaces)
        return { deleted: workspaces, names: workspaces }
      })
  }
  return { ...handleService(undefined, over), asked, deleted }
}

const three = ["ws-fork-1", "ws-fork-2", "ws-fork-3"]

describe("forks of a workspace that a program holds", () => {
  it("several are asked for at once, and the end of their use deletes all", async () => {
    const { asked, deleted, fix } = forkService()
    const attempts = await (await fix()).forks(3, { name: "try", diskOnly: true })
    assert.deepStrictEqual(attempts.map(({ id }) => id), three)
    assert.lengthOf(asked, 1)
    assert.deepInclude(asked[0], { workspace: "ws-0000000001", count: 3, name: "try", diskOnly: true })
    assert.deepStrictEqual(deleted, [])
    await attempts[Symbol.asyncDispose]()
    assert.deepStrictEqual(deleted.toSorted(), three)
  })

  it("the end of one of several deletes that one alone", async () => {
    const { deleted, fix } = forkService()
    const [first, second] = await (await fix()).forks(3)
    await first![Symbol.asyncDispose]()
    await second!.delete()
    assert.deepStrictEqual(deleted, ["ws-fork-1", "ws-fork-2"])
  })

  it("a count that is none is refused before any work", async () => {
    const { asked, fix } = forkService()
    const ws = await fix()
    for (const count of [0, 65, 1.5]) {
      assert.deepInclude(await rejection(ws.forks(count)), { _tag: "InvalidRequest", field: "count" })
    }
    assert.deepStrictEqual(asked, [])
  })

  it("in Effect, the Scope of a failed program deletes all", async () => {
    const { deleted, layer } = forkService()
    const failure = await Effect.gen(function*() {
      const ws = yield* Workspace.open("fix")
      const attempts = yield* ws.forks(3)
      return yield* Effect.fail(attempts.map(({ id }) => id))
    }).pipe(Effect.scoped, Effect.provide(layer), Effect.flip, Effect.runPromise)
    assert.deepStrictEqual(failure, three)
    assert.deepStrictEqual(deleted.toSorted(), three)
  })
})
