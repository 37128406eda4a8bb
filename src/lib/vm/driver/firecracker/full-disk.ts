import { Effect, type Scope, SubscriptionRef } from "effect"
import { NoSpace, type VmFailed } from "../../../../contract/errors/errors.ts"
import { attempt } from "../../../../system/files/failure.ts"
import { freeBytes } from "../../../../system/processes/host.ts"
import type { VmTrouble } from "../../model/Vm.ts"

const mib = 1024 ** 2
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

/** Who has paused a VM: a caller of the driver, or the guard of the space. */
export type Paused = "no" | "caller" | "full"

/** Whether there is too little space for a VM to run. */
export const isTooFull = (free: number): boolean => free < reserveBytes

/** Fails where a new VM would stand still at once. */
export const demandSpace = (path: string): Effect.Effect<void, NoSpace> =>
  attempt("statfs", path, () => freeBytes(path)).pipe(
    // The code that needs the folder reports its fault.
    Effect.orElseSucceed(() => Infinity),
    Effect.flatMap((free) =>
      isTooFull(free)
        ? new NoSpace({
          where: "state directory",
          path,
          neededMib: reserveBytes / mib,
          availableMib: Math.floor(free / mib)
        })
        : Effect.void
    )
  )

/** Pauses a VM while the host's disk has too little space for its writes. */
export const guardSpace = (options: {
  /** Free space of the workspace disk's file system, in bytes. */
  readonly free: Effect.Effect<number>
  readonly trouble: SubscriptionRef.SubscriptionRef<VmTrouble>
  /** A VM that a caller has resumed meanwhile is paused again. */
  readonly paused: () => Paused
  readonly pause: Effect.Effect<void, VmFailed>
  readonly resume: Effect.Effect<void, VmFailed>
}): Effect.Effect<void, never, Scope.Scope> =>
  Effect.gen(function*() {
    const { pause, paused, resume, trouble } = options
    const free = yield* options.free
    if (paused() === "no" && isTooFull(free)) {
      yield* pause
      yield* SubscriptionRef.set(trouble, "no-space")
    }
    const isStill = (yield* SubscriptionRef.get(trouble)) === "no-space"
    if (isStill && paused() !== "caller" && free >= resumeBytes) {
      if (paused() === "full") yield* resume
      yield* SubscriptionRef.set(trouble, "none")
    }
    return isStill ? shortestMs : untilNextLook(free)
  }).pipe(
    // The VM has ended, and its Scope ends this soon; or it has not begun.
    Effect.orElseSucceed(() => shortestMs),
    Effect.flatMap(Effect.sleep),
    Effect.forever,
    Effect.forkScoped,
    Effect.asVoid
  )
