import { Deferred, Effect } from "effect"

/** What this process knows of the last point of a workspace, so that a look whether another is due costs next to nothing. */
export interface PointMarks {
  /** Time of the last use that the last look saw, in ms since 1970. */
  usedMs: number
  /** Number of commands that had ended at that look. */
  ended: number
  /** Monotonic time of the last look, in ms. */
  lookedMs: number
  /** Ends with the point that is being made. Undefined if none is. */
  taking?: Deferred.Deferred<void> | undefined
}

/** The first look is due at once. */
export const makePointMarks = (): PointMarks => ({ usedMs: -1, ended: -1, lookedMs: -Infinity })

/** Makes the next look due at once: the disk is another one. */
export const forgetPointMarks = (entry: { readonly pointMarks: PointMarks }): void => {
  Object.assign(entry.pointMarks, makePointMarks())
}

/** Makes another look due after the usual time, without another use: this one came to nothing. */
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
