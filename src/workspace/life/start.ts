import { Effect, Fiber, Option, Ref, Schedule } from "effect"
import type { Lifecycle, LifecycleServices, Notify } from "../entry/context.ts"
import type { Entry, Generation } from "../entry/entry.ts"
import { workspaceTrees } from "./baseline.ts"
import type { Transition } from "./description.ts"
import { guestOn } from "./guest-on.ts"
import { tellWarnings } from "./tell-warnings.ts"
import { transit } from "./transition.ts"

/** A new VM on the kept disk. */
const starting = (entry: Entry, notify: Notify): Transition<LifecycleServices> => ({
  name: "start",
  entry,
  shows: "starting",
  build: () =>
    Effect.gen(function*() {
      const guest = yield* guestOn(entry, yield* Ref.get(entry.record), notify)
      // A VM that was killed during a patch or a push left a half-done change: any change rolls it back first.
      yield* Effect.ignoreCause(guest.channel.changeFiles(workspaceTrees.live.root, []))
      return guest
    }),
  change: (record) => ({ ...record, generation: record.generation + 1 }),
  event: { _tag: "started" }
})

/** Longest time that the end of a lost VM takes. */
const ENDING = "10 seconds"

/**
 * Waits for the end of a VM that is lost already: whoever saw a command fail by it may be faster than the transition to `failed`.
 * False for a VM that runs.
 */
const isEnding = (entry: Entry, generation: Generation) =>
  Effect.gen(function*() {
    const lost = yield* Effect.forkChild(Effect.flip(generation.channel.failed), { startImmediately: true })
    if (lost.pollUnsafe() === undefined) return yield* Effect.as(Fiber.interrupt(lost), false)
    const ended = Effect.repeat(Ref.get(entry.generation), {
      while: (now) => Option.isSome(now) && now.value === generation,
      schedule: Schedule.spaced("10 millis")
    })
    return Option.isSome(yield* Effect.timeoutOption(ended, ENDING))
  })

/** Starts a stopped or failed workspace. False for a running one, which stays unchanged. Its caller has the workspace alone. */
export const start = (lifecycle: Lifecycle, entry: Entry, notify: Notify) =>
  Effect.gen(function*() {
    const present = yield* Ref.get(entry.generation)
    if (Option.isSome(present) && !(yield* isEnding(entry, present.value))) return false
    yield* transit(lifecycle, starting(entry, notify))
    yield* tellWarnings(entry, notify)
    return true
  })
