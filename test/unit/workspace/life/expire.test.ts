import { assert, describe, it } from "@effect/vitest"
import { Clock, Effect, Layer } from "effect"
import { TestClock } from "effect/testing"
import * as fs from "node:fs"
import { Paths } from "../../../../src/system/files/Paths.ts"
import { makeAbsences } from "../../../../src/system/waits/time.ts"
import { touch } from "../../../../src/workspace/entry/activity.ts"
import { makeEntry } from "../../../../src/workspace/entry/entry.ts"
import { folderOf, type WorkspaceId, writeWorkspace } from "../../../../src/workspace/entry/record.ts"
import { makeRegistry } from "../../../../src/workspace/entry/registry.ts"
import { makeFolder } from "../../../../src/workspace/life/verbs/new-workspace.ts"
import { makeExpiry } from "../../../../src/workspace/life/verbs/remove.ts"
import { steppedClock } from "../../../support/guest-channel/stepped-clock.ts"
import { passing } from "../../../support/passing.ts"
import { eventLog } from "../../../support/workspace/event-log.ts"
import { temporaryDirectory } from "../../lib/disk/temporary-directory.ts"
import { recordOf } from "../record-of.ts"

const id = "ws-0000000001" as WorkspaceId

/** A stopped workspace whose time to live is ten minutes, used just now by the test's clock. */
const stoppedWorkspace = Effect.gen(function*() {
  const stateDir = yield* temporaryDirectory
  const scope = yield* Effect.scope
  const record = { ...recordOf(id, "stopped"), ttlSeconds: 600 }
  const folder = folderOf(stateDir, id)
  const registry = makeRegistry()
  const entry = yield* makeEntry({ scope }, folder, record)
  yield* entry.state.show("stopped")
  registry.entries.set(id, entry)
  yield* makeFolder(folder)
  yield* writeWorkspace(folder, record)
  yield* touch(folder)
  const services = Layer.merge(
    Layer.succeed(Paths, { stateDir, cacheDir: stateDir, memoryDir: stateDir }),
    eventLog
  )
  const { beat, ...absences } = makeAbsences()
  return {
    beat,
    folder,
    /** What the daemon does every few seconds. */
    look: Effect.provide(makeExpiry({ registry, scope }, { beat, ...absences }), services),
    isThere: () => registry.entries.has(id) && fs.existsSync(folder.record)
  }
})

describe("a workspace with a time to live", () => {
  it.effect("a workspace is deleted when nothing has used it for its time to live, and not before", () =>
    Effect.gen(function*() {
      const { beat, folder, isThere, look } = yield* stoppedWorkspace
      yield* passing(599, beat)
      yield* look
      assert.isTrue(isThere())
      yield* passing(1, beat)
      yield* look
      assert.isFalse(isThere())
      assert.isFalse(fs.existsSync(folder.directory))
    }))

  it.effect("each use of a workspace restarts its time to live", () =>
    Effect.gen(function*() {
      const { beat, folder, isThere, look } = yield* stoppedWorkspace
      yield* passing(599, beat)
      yield* touch(folder)
      yield* passing(599, beat)
      yield* look
      assert.isTrue(isThere())
      yield* passing(1, beat)
      yield* look
      assert.isFalse(isThere())
    }))

  it.effect("a sleep of the host is no time without a use, unless it is a small part of the time to live", () =>
    Effect.gen(function*() {
      const { beat, isThere, look } = yield* stoppedWorkspace
      const { clock, stepTo } = yield* steppedClock
      const by = <A>(work: Effect.Effect<A>) => Effect.provideService(work, Clock.Clock, clock)
      const after = (seconds: number) => Effect.andThen(passing(seconds, by(beat)), by(look))
      yield* after(1)
      stepTo(8 * 3_600_000)
      yield* after(1)
      yield* after(299)
      assert.isTrue(isThere())
      stepTo(8 * 3_600_000 + 200_000)
      yield* after(99)
      assert.isTrue(isThere())
      yield* after(2)
      assert.isFalse(isThere())
    }))

  it.effect("a stop of the daemon is no time without a use", () =>
    Effect.gen(function*() {
      const { beat, isThere, look } = yield* stoppedWorkspace
      yield* passing(1, beat)
      yield* TestClock.adjust("6000 seconds")
      yield* beat
      yield* look
      assert.isTrue(isThere())
      yield* passing(599, beat)
      yield* look
      assert.isTrue(isThere())
      yield* passing(1, beat)
      yield* look
      assert.isFalse(isThere())
    }))
})
