import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Fiber, Option, Scope } from "effect"
import type { PyroError } from "../../../../src/contract/errors/errors.ts"
import type { WorkspaceState } from "../../../../src/contract/rows/workspace-info.ts"
import type { Generation } from "../../../../src/workspace/entry/current-generation.ts"
import { makeEntry } from "../../../../src/workspace/entry/entry.ts"
import { folderOf, newWorkspaceId } from "../../../../src/workspace/entry/record.ts"
import { makeRegistry } from "../../../../src/workspace/entry/registry.ts"
import { type Borrowed, borrowReader, readerOf } from "../../../../src/workspace/life/read/reader.ts"
import { recordOf } from "../record-of.ts"

const atState = (state: WorkspaceState) =>
  Effect.gen(function*() {
    const scope = yield* Effect.scope
    const id = newWorkspaceId()
    const entry = yield* makeEntry({ scope }, folderOf("/nowhere", id), recordOf(id, "stopped"))
    yield* entry.state.show(state)
    const lifecycle = { registry: makeRegistry(), scope }
    lifecycle.registry.entries.set(id, entry)
    // No inspector is made: the disk is not there, or the workspace has a guest of its own.
    const borrow = borrowReader(lifecycle, entry, "workspace.file.read", Effect.void) as Effect.Effect<
      Borrowed,
      PyroError,
      Scope.Scope
    >
    const isFree = Effect.map(
      Effect.timeoutOption(entry.lifecycleLock.hold(Effect.void), "2 seconds"),
      Option.isSome
    )
    return { borrow, entry, isFree }
  })

describe("the guest that reads a workspace", () => {
  it("a workspace has an inspector as its reader only if no VM writes the disk, now or in the next step", () => {
    const states: ReadonlyArray<WorkspaceState> = [
      "creating",
      "running",
      "starting",
      "stopping",
      "stopped",
      "resetting",
      "failed",
      "deleting"
    ]
    assert.deepStrictEqual(states.filter((state) => readerOf(state) === "inspector"), ["stopped", "failed"])
  })

  it.live("a running workspace is its own reader, and no lock is held", () =>
    Effect.gen(function*() {
      const { borrow, entry, isFree } = yield* atState("running")
      const channel = { own: true }
      const generation = { channel, guest: { vm: { health: { trouble: Effect.succeed("none") } } } }
      yield* entry.generation.install(generation as unknown as Generation)
      assert.strictEqual((yield* borrow).channel as unknown, channel)
      assert.isTrue(yield* isFree)
    }))

  it.live("a workspace that is starting, stopping or deleting has no reader", () =>
    Effect.gen(function*() {
      for (const state of ["starting", "stopping", "deleting"] as const) {
        const { borrow } = yield* atState(state)
        const refused = yield* Effect.flip(borrow)
        assert.deepStrictEqual([refused.code, refused.message.includes(`is ${state}`)], ["workspace_not_ready", true])
      }
    }))

  it.live("a reader of an unreadable disk releases the workspace", () =>
    Effect.gen(function*() {
      const { borrow, isFree } = yield* atState("stopped")
      assert.strictEqual((yield* Effect.flip(Effect.scoped(borrow))).code, "image_damaged")
      assert.isTrue(yield* isFree)
    }))

  it.live("a waiting reader yields to a deletion, which does not wait for readers", () =>
    Effect.gen(function*() {
      const { borrow, entry, isFree } = yield* atState("stopped")
      // Somebody has the workspace first, so that the reader is still waiting when the deletion is asked for.
      const step = yield* Scope.make()
      yield* Scope.provide(entry.lifecycleLock.acquire, step)
      const reader = yield* Scope.make()
      const reading = yield* Effect.forkChild(Effect.flip(Scope.provide(borrow, reader)))
      yield* Effect.forkChild(entry.deletion.during(Effect.never), { startImmediately: true })
      yield* Scope.close(step, Exit.void)
      const refused = yield* Fiber.join(reading)
      assert.include(refused.message, "is deleting")
      assert.isTrue(yield* isFree)
      yield* Scope.close(reader, Exit.void)
      assert.isTrue(yield* isFree)
    }))
})
