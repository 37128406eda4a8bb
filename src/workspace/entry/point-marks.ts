import { Deferred, Effect, Semaphore } from "effect"

/** What this process knows of the last point of a workspace, so that a look whether another is due costs next to nothing. */
export interface PointMarks {
  /** Time of the last use that the last look saw, in ms since 1970. */
  usedMs: number
  /** Number of commands that had ended at that look. */
  ended: number
  /**
   * Whether a program of the guest ran at that look, or may have: a service, a shell, a connection, or what a command left behind. It may have written
   * since, without a use.
   */
  hasPrograms: boolean
  /** Looks that are allowed now. */
  left: number
  /** Monotonic time of the last look that was added, in ms. */
  refilledMs: number
  /** Time that the guest stood still for the last point with memory, in ms. 0 without one. */
  pauseMs: number
  /** Time that the capture of that point took, in ms: a command may wait for all of it. */
  captureMs: number
  /** The last point with memory that this process made, and the time of the last use before it, in ms since 1970. */
  pointed?: { readonly id: string; readonly lastMs: number }
  /** Number of commands in the history at the last return to a point. Undefined if none was made since the last reset. */
  returnedAt?: number | undefined
  /** Time of that return, in ms since 1970. */
  returnedMs?: number | undefined
  /** Ends the guest and removes the memory that were made ready for the next return, if they may have been. */
  endExpected?: Effect.Effect<void>
  /** The parts of the memory that is made ahead of the next return (`MemoryAhead`). */
  ahead?: ReadonlyArray<string>
  /** One at a time makes that memory. */
  readonly aheadLock: Semaphore.Semaphore
  /** Ends with the point that is being made. Undefined if none is. */
  taking?: Deferred.Deferred<void> | undefined
}

/** Looks in a row: the steps of a person or an agent get a point each, and a loop of commands pays for a few. */
const BURST = 5

/** The first look is due at once. */
export const makePointMarks = (): PointMarks => ({
  usedMs: -1,
  ended: -1,
  hasPrograms: true,
  left: BURST,
  refilledMs: -Infinity,
  pauseMs: 0,
  captureMs: 0,
  aheadLock: Semaphore.makeUnsafe(1)
})

/** Whether a look is allowed at this monotonic time. One more is each `everyMs`. Uses it up. */
export const takeLook = (marks: PointMarks, nowMs: number, everyMs: number): boolean => {
  if (everyMs === 0) return true
  const refills = Math.floor((nowMs - marks.refilledMs) / everyMs)
  if (refills > 0) {
    marks.left = Math.min(BURST, marks.left + refills)
    marks.refilledMs = nowMs
  }
  if (marks.left === 0) return false
  marks.left -= 1
  return true
}

/** Makes the next look due at once: the disk is another one. */
export const forgetPointMarks = ({ pointMarks: marks }: { readonly pointMarks: PointMarks }): void => {
  Object.assign(marks, {
    usedMs: -1,
    ended: -1,
    hasPrograms: true,
    left: Math.max(1, marks.left),
    returnedAt: undefined,
    returnedMs: undefined
  })
}

/** The same after a return to a point: `seen` is what the point has, if it is the state before the next command without another look. */
export const markReturned = (
  entry: { readonly pointMarks: PointMarks },
  { seen, ...returned }: {
    readonly returnedAt: number
    readonly returnedMs: number
    readonly seen: Pick<PointMarks, "usedMs" | "ended" | "hasPrograms"> | undefined
  }
): void => {
  forgetPointMarks(entry)
  Object.assign(entry.pointMarks, returned, seen)
}

/** Makes another look due without another use: this one came to nothing. */
export const lookAgain = ({ pointMarks }: { readonly pointMarks: PointMarks }): void => {
  pointMarks.ended = -1
}

/** Makes a point while commands that are about to start wait for it. */
export const whileTaking =
  ({ pointMarks }: { readonly pointMarks: PointMarks }) => <A, E, R>(work: Effect.Effect<A, E, R>) =>
    Effect.suspend(() => {
      const taking = Deferred.makeUnsafe<void>()
      pointMarks.taking = taking
      return Effect.ensuring(
        work,
        Effect.sync(() => {
          pointMarks.taking = undefined
          Deferred.doneUnsafe(taking, Effect.void)
        })
      )
    })
