import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit } from "effect"
import { typedMessage } from "../../../../src/contract/rows/next-steps.ts"
import { isLegal, operationStates, type WorkspaceOperation } from "../../../../src/contract/rows/operations.ts"
import { WorkspaceState } from "../../../../src/contract/rows/workspace-info.ts"
import { aloneFor } from "../../../../src/workspace/entry/context.ts"
import type { Generation } from "../../../../src/workspace/entry/current-generation.ts"
import { makeEntry } from "../../../../src/workspace/entry/entry.ts"
import { folderOf, newWorkspaceId } from "../../../../src/workspace/entry/record.ts"
import { makeRegistry } from "../../../../src/workspace/entry/registry.ts"
import { runningGeneration } from "../../../../src/workspace/life/engine/running.ts"
import { recordOf } from "../record-of.ts"

const all = Object.keys(operationStates) as ReadonlyArray<WorkspaceOperation>
const generation = {
  guest: { vm: { health: { trouble: Effect.succeed("none") } } }
} as unknown as Generation

const entryAt = (state: typeof WorkspaceState extends () => { readonly Type: infer S } ? S : never) =>
  Effect.gen(function*() {
    const scope = yield* Effect.scope
    const id = newWorkspaceId()
    const entry = yield* makeEntry({ scope }, folderOf("/nowhere", id), { ...recordOf(id, "running"), name: "fix" })
    yield* entry.state.show(state)
    yield* entry.generation.install(generation)
    const lifecycle = { registry: makeRegistry(), scope }
    lifecycle.registry.entries.set(id, entry)
    return { entry, lifecycle }
  })

describe("the checks of a workspace's state", () => {
  for (const operation of all) {
    it.effect(`the state checks follow the table for ${operation}`, () =>
      Effect.gen(function*() {
        for (const state of WorkspaceState().literals) {
          const { entry, lifecycle } = yield* entryAt(state)
          const step = yield* Effect.exit(aloneFor(lifecycle, entry, operation)(Effect.void))
          const use = yield* Effect.exit(runningGeneration(entry, operation))
          assert.deepStrictEqual(
            [Exit.isSuccess(step), Exit.isSuccess(use)],
            [isLegal(operation, state), isLegal(operation, state)],
            state
          )
        }
      }))
  }

  it.effect("a refused operation names the state, the states that allow it, and the next command", () =>
    Effect.gen(function*() {
      const { entry } = yield* entryAt("stopped")
      const refused = yield* Effect.flip(runningGeneration(entry, "workspace.exec"))
      assert.deepStrictEqual([refused.state, refused.legalStates], ["stopped", ["running"]])
      assert.strictEqual(
        typedMessage(refused),
        "workspace fix is stopped; the operation needs state running: its files are kept, and nothing runs in it. Start it: pyro start fix"
      )
    }))

  it.effect("a workspace without a VM refuses an operation, whatever its state says", () =>
    Effect.gen(function*() {
      const { entry } = yield* entryAt("running")
      yield* entry.generation.detach
      const refused = yield* Effect.flip(runningGeneration(entry, "workspace.exec"))
      assert.strictEqual(refused.code, "workspace_not_ready")
    }))
})
