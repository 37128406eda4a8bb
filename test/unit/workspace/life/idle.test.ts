import { assert, describe, it } from "@effect/vitest"
import { Clock, Effect, Exit, Scope } from "effect"
import { TestClock } from "effect/testing"
import { VmFailed } from "../../../../src/contract/errors/errors.ts"
import { makeAbsences } from "../../../../src/system/waits/time.ts"
import { touch } from "../../../../src/workspace/entry/activity.ts"
import type { Generation } from "../../../../src/workspace/entry/current-generation.ts"
import { type Entry, makeEntry } from "../../../../src/workspace/entry/entry.ts"
import { readEvents } from "../../../../src/workspace/entry/events.ts"
import { folderOf, type WorkspaceId } from "../../../../src/workspace/entry/record.ts"
import { makeRegistry } from "../../../../src/workspace/entry/registry.ts"
import type { Residents } from "../../../../src/workspace/entry/resident-list.ts"
import { makeIdlePauses, noteUses } from "../../../../src/workspace/life/verbs/idle.ts"
import { makeFolder } from "../../../../src/workspace/life/verbs/new-workspace.ts"
import { steppedClock } from "../../../support/guest-channel/stepped-clock.ts"
import { passing } from "../../../support/passing.ts"
import { eventLog } from "../../../support/workspace/event-log.ts"
import { temporaryDirectory } from "../../lib/disk/temporary-directory.ts"
import { recordOf } from "../record-of.ts"

const id = "ws-0000000001" as WorkspaceId
const AFTER_SECONDS = 600

/** A VM whose pause fails with the reason of the moment, and counts the attempts. */
const unpausable = (entry: Entry) => {
  const tried = { attempts: 0, reason: "it has no memory file", shown: "" }
  const memoryBytes = Effect.gen(function*() {
    tried.attempts++
    tried.shown = (yield* entry.state.now).state
    return yield* new VmFailed({ step: "capture", detail: tried.reason, consoleTail: "" })
  })
  const generation = { guest: { vm: { health: { trouble: Effect.succeed("none") }, memoryBytes } } }
  return { tried, generation: generation as unknown as Generation }
}

/** A running workspace that is to be paused after ten minutes without a use, used just now by the test's clock. */
const running = (pauseAfterSeconds: number | undefined = AFTER_SECONDS) =>
  Effect.gen(function*() {
    const stateDir = yield* temporaryDirectory
    const scope = yield* Effect.scope
    const { pauseAfterSeconds: _, ...rest } = recordOf(id, "running")
    const record = pauseAfterSeconds === 0 ? rest : { ...rest, pauseAfterSeconds }
    const registry = makeRegistry()
    const entry = yield* makeEntry({ scope }, folderOf(stateDir, id), record)
    const { generation, tried } = unpausable(entry)
    const busy = { isBusy: false }
    yield* entry.state.show("running")
    yield* entry.generation.install(generation)
    yield* entry.residents.hold({ isBusy: Effect.sync(() => busy.isBusy) } as unknown as Residents)
    registry.entries.set(id, entry)
    yield* makeFolder(entry.folder)
    yield* touch(entry.folder)
    const lifecycle = { registry, scope }
    const absences = makeAbsences()
    const pauses = makeIdlePauses(lifecycle, absences) as Effect.Effect<
      void,
      never,
      Effect.Services<ReturnType<typeof makeIdlePauses>>
    >
    // The pause fails before it needs the other services.
    const look = Effect.provide(
      Effect.andThen(noteUses(lifecycle), pauses),
      eventLog
    ) as Effect.Effect<void>
    return {
      busy,
      entry,
      tried,
      look,
      failures: Effect.map(
        readEvents(entry.folder.directory),
        (events) => events.flatMap((event) => event._tag === "pause_failed" ? [event.detail] : [])
      ),
      beat: absences.beat,
      /** Looks after a time, and gives the attempts so far. */
      attemptsAfter: (seconds: number) =>
        Effect.andThen(passing(seconds, absences.beat), look).pipe(Effect.map(() => tried.attempts))
    }
  })

describe("a workspace that is paused after a time without a use", () => {
  it.effect("the pause comes after the time without a use, and not before", () =>
    Effect.gen(function*() {
      const { attemptsAfter, tried } = yield* running()
      assert.strictEqual(yield* attemptsAfter(599), 0)
      assert.strictEqual(yield* attemptsAfter(1), 1)
      assert.strictEqual(tried.shown, "paused", "a use that comes now waits for the lock")
    }))

  it.effect("a workspace without the setting is never paused", () =>
    Effect.gen(function*() {
      const { attemptsAfter } = yield* running(0)
      assert.strictEqual(yield* attemptsAfter(6_000), 0)
    }))

  it.effect("an operation keeps a workspace awake, and the time counts from its end", () =>
    Effect.gen(function*() {
      const { attemptsAfter, entry } = yield* running()
      const scope = yield* Scope.make()
      yield* Scope.provide(entry.uses.use, scope)
      assert.strictEqual(yield* attemptsAfter(6_000), 0)
      yield* Scope.close(scope, Exit.void)
      assert.strictEqual(yield* attemptsAfter(599), 0)
      assert.strictEqual(yield* attemptsAfter(1), 1)
    }))

  it.effect("a command, an attached shell or a connection keeps a workspace awake, and the time counts from the end", () =>
    Effect.gen(function*() {
      const { attemptsAfter, busy } = yield* running()
      busy.isBusy = true
      assert.strictEqual(yield* attemptsAfter(6_000), 0)
      busy.isBusy = false
      assert.strictEqual(yield* attemptsAfter(599), 0)
      assert.strictEqual(yield* attemptsAfter(1), 1)
    }))

  it.effect("a write counts as a use", () =>
    Effect.gen(function*() {
      const { attemptsAfter, entry } = yield* running()
      assert.strictEqual(yield* attemptsAfter(599), 0)
      yield* touch(entry.folder)
      assert.strictEqual(yield* attemptsAfter(599), 0)
      assert.strictEqual(yield* attemptsAfter(1), 1)
    }))

  it.effect("a command that starts after the look ends the pause, and the workspace runs on", () =>
    Effect.gen(function*() {
      const { attemptsAfter, busy, entry } = yield* running()
      const looks = { number: 0 }
      // Busy at the second look, which comes when the state is visible.
      const isBusy = Effect.sync(() => ++looks.number > 2 || busy.isBusy)
      yield* entry.residents.hold({ isBusy } as unknown as Residents)
      assert.strictEqual(yield* attemptsAfter(AFTER_SECONDS), 0)
      assert.isAbove(looks.number, 2)
      assert.strictEqual((yield* entry.state.now).state, "running")
    }))

  it.effect("an operation that begins during the look keeps the workspace awake, and never sees it paused", () =>
    Effect.gen(function*() {
      const { attemptsAfter, entry } = yield* running()
      const scope = yield* Scope.make()
      const looks = { number: 0 }
      const isBusy = Effect.gen(function*() {
        // The last look before the state changes.
        if (++looks.number === 2) yield* Scope.provide(entry.uses.use, scope)
        assert.strictEqual((yield* entry.state.now).state, "running")
        return false
      })
      yield* entry.residents.hold({ isBusy } as unknown as Residents)
      assert.strictEqual(yield* attemptsAfter(AFTER_SECONDS), 0)
      assert.strictEqual(looks.number, 2)
    }))

  it.effect("a workspace in a lifecycle step is left alone", () =>
    Effect.gen(function*() {
      const { attemptsAfter, entry, look, tried } = yield* running()
      const step = yield* Scope.make()
      yield* Scope.provide(entry.lifecycleLock.acquire, step)
      assert.strictEqual(yield* attemptsAfter(AFTER_SECONDS), 0)
      yield* Scope.close(step, Exit.void)
      yield* look
      assert.strictEqual(tried.attempts, 1)
    }))

  it.effect("a failed pause leaves the workspace running, and is tried again after a growing delay", () =>
    Effect.gen(function*() {
      const { attemptsAfter, entry } = yield* running()
      assert.strictEqual(yield* attemptsAfter(AFTER_SECONDS), 1)
      assert.strictEqual((yield* entry.state.now).state, "running")
      for (const [at, seconds] of [60, 120, 240, 480, 960, 1_920, 3_600, 3_600].entries()) {
        assert.strictEqual(yield* attemptsAfter(seconds - 1), at + 1)
        assert.strictEqual(yield* attemptsAfter(1), at + 2)
      }
    }))

  it.effect("the events have a failure once, and another reason again", () =>
    Effect.gen(function*() {
      const { attemptsAfter, failures, tried } = yield* running()
      yield* attemptsAfter(AFTER_SECONDS)
      yield* attemptsAfter(60)
      assert.strictEqual((yield* failures).length, 1)
      tried.reason = "the disk is full"
      assert.strictEqual(yield* attemptsAfter(120), 3)
      const [first = "", second = "", ...more] = yield* failures
      assert.include(first, "it has no memory file")
      assert.include(second, "the disk is full")
      assert.deepStrictEqual(more, [])
    }))

  it.effect("a sleep of the host or a set clock is no time without a use: the signs of living programs come later", () =>
    Effect.gen(function*() {
      const { beat, look, tried } = yield* running()
      const { clock, stepTo } = yield* steppedClock
      const by = <A>(work: Effect.Effect<A>) => Effect.provideService(work, Clock.Clock, clock)
      const after = (seconds: number) =>
        Effect.andThen(passing(seconds, by(beat)), by(look)).pipe(Effect.map(() => tried.attempts))
      assert.strictEqual(yield* after(1), 0)
      stepTo(8 * 3_600_000)
      assert.strictEqual(yield* after(1), 0)
      assert.strictEqual(yield* after(598), 0)
      // A clock that is set back delays the pause.
      stepTo(-3_600_000)
      assert.strictEqual(yield* after(1), 0)
      stepTo(8 * 3_600_000)
      assert.strictEqual(yield* after(1), 0)
      assert.strictEqual(yield* after(599), 0)
      assert.strictEqual(yield* after(1), 1)
    }))

  it.effect("a stop of the daemon is no time without a use, unless it is a small part of the time", () =>
    Effect.gen(function*() {
      const { attemptsAfter, beat, look, tried } = yield* running()
      assert.strictEqual(yield* attemptsAfter(1), 0)
      // Both clocks go on while the process is stopped.
      yield* TestClock.adjust("6000 seconds")
      yield* beat
      yield* look
      assert.strictEqual(tried.attempts, 0)
      assert.strictEqual(yield* attemptsAfter(300), 0)
      yield* TestClock.adjust("200 seconds")
      assert.strictEqual(yield* attemptsAfter(99), 0)
      assert.strictEqual(yield* attemptsAfter(1), 1)
    }))
})
