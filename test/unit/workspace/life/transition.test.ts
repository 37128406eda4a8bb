import { assert, describe, it } from "@effect/vitest"
import { Context, Deferred, Effect, Exit, Fiber, Layer, Option, Scope, Stream } from "effect"
import * as fs from "node:fs"
import { VmFailed } from "../../../../src/contract/errors/errors.ts"
import type { Guest } from "../../../../src/lib/vm/model/guest.ts"
import { Paths } from "../../../../src/system/files/Paths.ts"
import { makeEntry } from "../../../../src/workspace/entry/entry.ts"
import type { EventLog } from "../../../../src/workspace/entry/events.ts"
import { folderOf, newWorkspaceId, readWorkspace } from "../../../../src/workspace/entry/record.ts"
import { makeRegistry } from "../../../../src/workspace/entry/registry.ts"
import type { OnUndo, Transition } from "../../../../src/workspace/life/engine/description.ts"
import { install, transit, transitAll } from "../../../../src/workspace/life/engine/transition.ts"
import { residentKinds } from "../../../../src/workspace/residents/open/kinds.ts"
import { temporaryFolder } from "../../../support/pyro-cli.ts"
import { eventLog } from "../../../support/workspace/event-log.ts"
import { recordOf } from "../record-of.ts"

const guestOf = (id: string) =>
  ({
    vm: { id, health: { failure: Effect.never, troubles: Stream.never } },
    channel: { failed: Effect.never, events: Stream.never }
  }) as unknown as Guest

const broken = new VmFailed({ step: "test", detail: "it is to fail", consoleTail: "" })

/** A workspace that runs, and what happens to it, in order. */
const world = Effect.gen(function*() {
  const scope = yield* Effect.scope
  const { folder, remove } = yield* Effect.sync(() => temporaryFolder("pyro-transition-"))
  yield* Effect.addFinalizer(() => Effect.sync(remove))
  const paths = { stateDir: folder, cacheDir: folder, memoryDir: folder }
  const lifecycle = { registry: makeRegistry(), scope }
  const log: Array<string> = []
  const note = (text: string) => Effect.sync(() => void log.push(text))

  const events = yield* Layer.build(eventLog)
  const provided = <A, E>(work: Effect.Effect<A, E, EventLog | Paths>) =>
    Effect.provide(work, Context.add(events, Paths, paths))

  const workspace = Effect.gen(function*() {
    const id = newWorkspaceId()
    const entry = yield* makeEntry({ scope }, folderOf(folder, id), recordOf(id, "running"))
    fs.mkdirSync(entry.folder.directory, { recursive: true })
    const own = yield* Scope.fork(entry.scope, "sequential")
    yield* Scope.addFinalizer(own, note("old ends"))
    const guest = guestOf("vm-000000000000")
    const old = { guest, channel: guest.channel, scope: own }
    yield* provided(install(lifecycle, entry, old))
    return { entry, old }
  })

  /** A VM whose end, and the undo of whose build, are noted. */
  const build = (name: string) => (onUndo: OnUndo) =>
    Effect.gen(function*() {
      yield* onUndo(note(`${name}: disk removed`))
      yield* Effect.addFinalizer(() => note(`${name}: VM ends`))
      yield* note(`${name}: built`)
      return guestOf("vm-111111111111")
    })
  return { build, lifecycle, log, note, provided, workspace }
})

const onDisk = (entry: Effect.Success<ReturnType<typeof makeEntry>>) =>
  Effect.map(readWorkspace(entry.folder, residentKinds), Option.getOrUndefined)

describe("a transition of a workspace", () => {
  it.live("a transition builds, hands over, commits, and only then ends the old VM", () =>
    Effect.gen(function*() {
      const { build, lifecycle, log, note, provided, workspace } = yield* world
      const { entry, old } = yield* workspace
      const handOver: Transition<never, VmFailed>["handOver"] = (sides) =>
        Effect.gen(function*() {
          assert.strictEqual(Option.getOrUndefined(sides.old), old)
          assert.isTrue(Option.isNone(yield* entry.generation.now))
          assert.isUndefined(yield* onDisk(entry).pipe(Effect.orDie))
          yield* note("handed over")
        })
      const next = yield* provided(transit<never, VmFailed>(lifecycle, {
        name: "reset",
        entry,
        shows: "resetting",
        build: build("next"),
        handOver,
        change: (record) => ({ ...record, generation: 3 }),
        oldDisk: entry.folder.disk(1)
      }))
      assert.deepStrictEqual(log, ["next: built", "handed over"])
      const record = yield* onDisk(entry)
      assert.deepStrictEqual([record?.phase, record?.vm as string, record?.generation], [
        "running",
        "vm-111111111111",
        3
      ])
      assert.strictEqual(Option.getOrUndefined(yield* entry.generation.now), next)
      assert.strictEqual((yield* entry.state.now).state, "running")
      yield* Scope.close(entry.scope, Exit.void)
      assert.sameMembers(log.slice(2), ["old ends", "next: VM ends"])
    }))

  it.live("a transition that fails before its commit undoes its build, and the old generation continues", () =>
    Effect.gen(function*() {
      for (const step of ["build", "handOver", "commit"] as const) {
        const { build, lifecycle, log, provided, workspace } = yield* world
        const { entry, old } = yield* workspace
        if (step === "commit") fs.rmdirSync(entry.folder.directory)
        const failed = yield* Effect.flip(provided(transit<never, VmFailed>(lifecycle, {
          name: "reset",
          entry,
          shows: "resetting",
          build: (onUndo) => Effect.tap(build("next")(onUndo), step === "build" ? broken : Effect.void),
          handOver: () => step === "handOver" ? broken : Effect.void,
          change: (record) => record
        })))
        assert.strictEqual(failed.code, step === "commit" ? "state_directory_unusable" : "vm_failed")
        assert.deepStrictEqual(log, ["next: built", "next: VM ends", "next: disk removed"], step)
        assert.strictEqual(Option.getOrUndefined(yield* entry.generation.now), old, step)
        assert.strictEqual((yield* entry.state.now).state, "running", step)
      }
    }))

  it.live("a transition can be interrupted during its build", () =>
    Effect.gen(function*() {
      const { build, lifecycle, log, provided, workspace } = yield* world
      const { entry, old } = yield* workspace
      const built = yield* Deferred.make<void>()
      const fiber = yield* Effect.forkChild(provided(transit<never, VmFailed>(lifecycle, {
        name: "start",
        entry,
        build: (onUndo) =>
          build("next")(onUndo).pipe(Effect.tap(Deferred.succeed(built, undefined)), Effect.tap(Effect.never)),
        change: (record) => record
      })))
      yield* Deferred.await(built)
      yield* Fiber.interrupt(fiber)
      assert.isTrue(Exit.hasInterrupts(yield* Fiber.await(fiber)))
      assert.deepStrictEqual(log, ["next: built", "next: VM ends", "next: disk removed"])
      assert.strictEqual(Option.getOrUndefined(yield* entry.generation.now), old)
    }))

  it.live("a transition of several workspaces changes all of them or none", () =>
    Effect.gen(function*() {
      const { build, lifecycle, log, provided, workspace } = yield* world
      const [one, other] = [yield* workspace, yield* workspace]
      const of = (entry: typeof one.entry, name: string): Transition<never, VmFailed> => ({
        name: "fork",
        entry,
        build: build(name),
        change: (record) => record
      })
      yield* Effect.flip(provided(transitAll<never, VmFailed>(lifecycle, [
        of(one.entry, "one"),
        { ...of(other.entry, "other"), handOver: () => broken }
      ])))
      assert.sameMembers(log, [
        "one: built",
        "other: built",
        "one: VM ends",
        "one: disk removed",
        "other: VM ends",
        "other: disk removed"
      ])
      for (const { entry, old } of [one, other]) {
        assert.isUndefined(yield* onDisk(entry))
        assert.strictEqual(Option.getOrUndefined(yield* entry.generation.now), old)
      }
    }))

  it.live("a transition without a next VM ends the old one before it returns", () =>
    Effect.gen(function*() {
      const { lifecycle, log, provided, workspace } = yield* world
      const { entry } = yield* workspace
      yield* provided(transit<never, VmFailed>(lifecycle, {
        name: "stop",
        entry,
        shows: "stopping",
        change: ({ vm: _, ...record }) => ({ ...record, phase: "stopped" }),
        leaves: "stopped"
      }))
      assert.deepStrictEqual(log, ["old ends"])
      assert.strictEqual((yield* onDisk(entry))?.phase, "stopped")
      assert.strictEqual((yield* entry.state.now).state, "stopped")
    }))
})
