import { Effect, Exit, Fiber, Option, Schedule, Scope } from "effect"
import type { Lifecycle, Notify } from "../../entry/context.ts"
import type { Generation } from "../../entry/current-generation.ts"
import type { Entry } from "../../entry/entry.ts"
import type { Transition } from "../engine/description.ts"
import { endedBy } from "../engine/ended.ts"
import { demandMoving } from "../engine/running.ts"
import { transit } from "../engine/transition.ts"
import { workspaceTrees } from "../guest/baseline.ts"
import { flushForMount } from "../guest/flush.ts"
import { guestOn, type GuestServices } from "../guest/generation.ts"
import { reportWarnings } from "../guest/notices.ts"

/** A new VM on the kept disk. */
const starting = (
  entry: Entry,
  notify: Notify
): Transition<GuestServices, Effect.Error<ReturnType<typeof guestOn>>> => ({
  name: "start",
  entry,
  shows: "starting",
  build: () =>
    Effect.gen(function*() {
      const guest = yield* guestOn(entry, yield* entry.record.now, notify)
      // A VM that was killed during a patch or a push left a half-done change: any change rolls it back first.
      yield* Effect.ignoreCause(guest.channel.changeFiles(workspaceTrees.live.root, []))
      return guest
    }),
  change: (record) => ({ ...record, generation: record.generation + 1 }),
  // The residents of a paused workspace whose memory is discarded. The others are lost already.
  lose: endedBy("start"),
  event: { _tag: "started" }
})

/** Longest time that the end of a lost VM takes. */
const ENDING = "10 seconds"

/** Waits for the end of a lost VM: the caller may see a failed command before the transition to `failed`. False for a VM that runs. */
const isEnding = (entry: Entry, generation: Generation) =>
  Effect.gen(function*() {
    const lost = yield* Effect.forkChild(Effect.flip(generation.channel.failed), { startImmediately: true })
    if (lost.pollUnsafe() === undefined) return yield* Effect.as(Fiber.interrupt(lost), false)
    const ended = Effect.repeat(entry.generation.now, {
      while: (now) => Option.isSome(now) && now.value === generation,
      schedule: Schedule.spaced("10 millis")
    })
    return Option.isSome(yield* Effect.timeoutOption(ended, ENDING))
  })

/** Starts a stopped or failed workspace. False for a running one, which stays unchanged. Its caller has the workspace alone. */
export const start = (lifecycle: Lifecycle, entry: Entry, notify: Notify) =>
  Effect.gen(function*() {
    const present = yield* entry.generation.now
    if (Option.isSome(present) && !(yield* isEnding(entry, present.value))) return false
    yield* transit(lifecycle, starting(entry, notify))
    yield* reportWarnings(entry, notify)
    return true
  })

/** The end of the VM; the disk is kept. */
const stopping = (entry: Entry): Transition => ({
  name: "stop",
  entry,
  handOver: ({ old }) =>
    Option.match(old, {
      onNone: () => Effect.void,
      onSome: ({ channel }) =>
        Effect.catch(channel.unlessSilent(flushForMount(channel)), ({ detail }) =>
          Effect.logWarning(`${entry.id} is stopped with unwritten files in its guest's memory: ${detail}`))
    }),
  change: ({ paused: _paused, vm: _, ...record }) => ({ ...record, phase: "stopped" }),
  lose: endedBy("stop"),
  event: { _tag: "stopped" },
  leaves: "stopped"
})

/** Stops a workspace, also one that has failed. False for a stopped one, which stays unchanged. Its caller has the workspace alone. */
export const stop = (lifecycle: Lifecycle, entry: Entry) =>
  Effect.gen(function*() {
    if ((yield* entry.state.now).state === "stopped") return false
    // A guest that a full host disk has paused keeps its memory, and writes it when the disk has room.
    const running = yield* entry.generation.now
    if (Option.isSome(running)) yield* demandMoving(entry, running.value)
    yield* entry.state.showing("stopping")(transit(lifecycle, stopping(entry)))
    return true
  })

/** Releases the running VMs, for the next process to attach to. */
export const leaveAll = (lifecycle: Lifecycle) =>
  Effect.forEach([...lifecycle.registry.entries.values()], (entry) =>
    Effect.gen(function*() {
      const generation = yield* entry.generation.detach
      if (Option.isNone(generation)) return
      yield* Effect.catch(
        generation.value.guest.vm.leave,
        (failure) => Effect.logWarning(`${entry.id} is left without a word of it: ${failure.fact}`)
      )
      yield* Scope.close(generation.value.scope, Exit.void)
    }), { discard: true })
