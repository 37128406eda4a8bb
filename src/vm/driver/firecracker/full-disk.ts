import { Effect, type Scope, SubscriptionRef } from "effect"
import type { VmFailed } from "../../../contract/errors/errors.ts"
import type { VmTrouble } from "../../Vm.ts"

const gib = 1024 ** 3

/**
 * Free space at which a VM is paused, in bytes. A failed write would cost the guest its whole disk: the kernel's snapshot target gives up a
 * store that it could not write.
 */
const reserveBytes = gib
/** Free space at which it resumes, in bytes. */
const resumeBytes = reserveBytes + gib / 4

/** Fastest use of the space that is expected, in bytes per ms. */
const fastest = (2 * gib) / 1000
const shortestMs = 250
const longestMs = 30_000

/** Time in which no guest can use up the free space, in ms: a host with much space is seldom looked at. */
export const untilNextLook = (free: number): number =>
  Math.min(longestMs, Math.max(shortestMs, (free - reserveBytes) / fastest))

/** Pauses a VM while the host's disk has too little space for its writes. */
export const guardSpace = (options: {
  /** Free space of the workspace disk's file system, in bytes. */
  readonly free: Effect.Effect<number>
  readonly trouble: SubscriptionRef.SubscriptionRef<VmTrouble>
  /** The VM is paused for another reason. */
  readonly isPaused: () => boolean
  readonly pause: Effect.Effect<void, VmFailed>
  readonly resume: Effect.Effect<void, VmFailed>
}): Effect.Effect<void, never, Scope.Scope> =>
  Effect.gen(function*() {
    const { isPaused, pause, resume, trouble } = options
    const free = yield* options.free
    const isStill = (yield* SubscriptionRef.get(trouble)) === "no-space"
    if (isStill && free >= resumeBytes) {
      yield* resume
      yield* SubscriptionRef.set(trouble, "none")
    } else if (!isStill && free < reserveBytes && !isPaused()) {
      yield* pause
      yield* SubscriptionRef.set(trouble, "no-space")
    }
    return isStill ? shortestMs : untilNextLook(free)
  }).pipe(
    // The VM has ended, and its Scope ends this soon.
    Effect.orElseSucceed(() => longestMs),
    Effect.flatMap(Effect.sleep),
    Effect.forever,
    Effect.forkScoped,
    Effect.asVoid
  )
