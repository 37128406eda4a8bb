import { assert, describe, it } from "@effect/vitest"
import { Context, Effect, Exit, Fiber, Scope, Stream } from "effect"
import type { PyroError } from "../../../../src/contract/errors/errors.ts"
import { operations } from "../../../../src/contract/rows/operations.ts"
import { workspaceCall } from "../../../../src/daemon/calls/list.ts"
import { isOfWorkspaces } from "../../../../src/daemon/calls/workspaces/work.ts"
import { makeEntry } from "../../../../src/workspace/entry/entry.ts"
import { folderOf, newWorkspaceId } from "../../../../src/workspace/entry/record.ts"
import { makeRegistry } from "../../../../src/workspace/entry/registry.ts"
import type { House } from "../../../../src/workspace/operations/work.ts"
import { recordOf } from "../../workspace/record-of.ts"

/** The operations that the table lets wait for a step under way, on one workspace. */
const waiting = operations.filter(isOfWorkspaces).filter(({ on, states }) => states?.waits === true && on !== undefined)

/** A workspace that a step has alone. Its services are not asked for by what never begins. */
const busyHouse = Effect.gen(function*() {
  const scope = yield* Effect.scope
  const id = newWorkspaceId()
  const entry = yield* makeEntry({ scope }, folderOf("/nowhere", id), { ...recordOf(id, "running"), name: "fix" })
  yield* entry.state.show("running")
  const registry = makeRegistry()
  registry.entries.set(id, entry)
  const step = yield* Scope.make()
  yield* Scope.provide(entry.lifecycleLock.acquire, step)
  const house: House = { lifecycle: { registry, scope }, services: Context.empty() as House["services"] }
  return { entry, house, registry, step }
})

describe("the turn of an operation", () => {
  it("every step of one workspace's life waits for its turn", () => {
    assert.includeMembers(waiting.map(({ name }) => name), [
      "workspace.start",
      "workspace.stop",
      "workspace.reset",
      "workspace.update",
      "workspace.rename",
      "workspace.snapshot.create",
      "workspace.snapshot.delete",
      "workspace.network.set",
      "workspace.port.publish",
      "workspace.port.unpublish"
    ])
  })

  for (const row of waiting) {
    it.effect(`${row.name} begins after the step under way, and not in a workspace that the step has deleted`, () =>
      Effect.gen(function*() {
        const { entry, house, registry, step } = yield* busyHouse
        const call = workspaceCall(row, Effect.succeed(house))
        const asked = call({
          workspace: "fix",
          name: "fixed",
          labels: {},
          clearLabels: [],
          port: "3000",
          guestPort: 3000
        })
        const work = Effect.isEffect(asked) ? asked : Stream.runDrain(asked as Stream.Stream<unknown>)
        const fiber = yield* Effect.forkChild(Effect.flip(work as Effect.Effect<never, PyroError>))
        yield* Effect.repeat(Effect.yieldNow, { times: 100 })
        assert.isUndefined(fiber.pollUnsafe())
        registry.entries.delete(entry.id)
        yield* Scope.close(step, Exit.void)
        assert.strictEqual((yield* Fiber.join(fiber))._tag, "WorkspaceNotFound")
      }))
  }
})
