import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Fiber, Option, Scope, Stream } from "effect"
import { ChannelFailed, VmFailed } from "../../../../src/contract/errors/errors.ts"
import { Paths } from "../../../../src/system/files/Paths.ts"
import type { Generation } from "../../../../src/workspace/entry/current-generation.ts"
import { makeEntry } from "../../../../src/workspace/entry/entry.ts"
import { folderOf, newWorkspaceId, type WorkspaceRecord } from "../../../../src/workspace/entry/record.ts"
import { makeRegistry } from "../../../../src/workspace/entry/registry.ts"
import { install } from "../../../../src/workspace/life/engine/transition.ts"
import { eventLog } from "../../../support/workspace/event-log.ts"

const nowhere = { stateDir: "/nowhere", cacheDir: "/nowhere", memoryDir: "/nowhere" }

/** An installed generation whose VM and channel end as the test wants. */
const installed = Effect.gen(function*() {
  const scope = yield* Effect.scope
  const lifecycle = { registry: makeRegistry(), scope }
  const record = { id: newWorkspaceId() } as WorkspaceRecord
  const entry = yield* makeEntry({ scope }, folderOf("/nowhere", record.id), record)
  const channel = yield* Deferred.make<never, ChannelFailed>()
  const vm = yield* Deferred.make<never, VmFailed>()
  const own = yield* Scope.fork(scope, "sequential")
  const closed = yield* Deferred.make<void>()
  yield* Scope.addFinalizer(own, Deferred.succeed(closed, undefined))
  const generation = {
    guest: { vm: { health: { failure: Deferred.await(vm), troubles: Stream.never } } },
    channel: { failed: Deferred.await(channel), events: Stream.never },
    scope: own
  } as unknown as Generation
  yield* install(lifecycle, entry, generation).pipe(Effect.provide(eventLog), Effect.provideService(Paths, nowhere))
  return { channel, closed, entry, vm }
})

const broken = new ChannelFailed({ detail: "the guest broke the protocol: nonsense" })

describe("a workspace whose guest cannot be talked to any more", () => {
  it.live("a workspace whose guest connection breaks is failed with the reason, and its VM ends", () =>
    Effect.gen(function*() {
      const { channel, closed, entry } = yield* installed
      assert.strictEqual((yield* entry.state.now).state, "running")
      yield* Deferred.fail(channel, broken)
      yield* Deferred.await(closed)
      const { detail, state } = yield* entry.state.now
      assert.strictEqual(state, "failed")
      assert.include(detail, "nonsense")
      assert.isTrue(Option.isNone(yield* entry.generation.now))
    }))

  it.live("a workspace whose VM ended reports the VM's end as the reason", () =>
    Effect.gen(function*() {
      const { channel, closed, entry, vm } = yield* installed
      yield* Deferred.fail(channel, broken)
      yield* Deferred.fail(vm, new VmFailed({ step: "run", detail: "QEMU ended: SIGKILL", consoleTail: "" }))
      yield* Deferred.await(closed)
      assert.include((yield* entry.state.now).detail, "QEMU ended")
    }))

  it.live("a broken guest connection does not change a workspace that a stop or reset has taken out", () =>
    Effect.gen(function*() {
      const { channel, closed, entry } = yield* installed
      yield* entry.generation.detach
      yield* Deferred.fail(channel, broken)
      const waiting = yield* Effect.forkChild(Effect.timeoutOption(Deferred.await(closed), "700 millis"))
      assert.isTrue(Option.isNone(yield* Fiber.join(waiting)))
      assert.strictEqual((yield* entry.state.now).state, "running")
    }))
})
