import { Effect, Stream, SubscriptionRef } from "effect"

/** Whether a deletion of the workspace waits or works. Readers of the workspace's disk then stop. */
export interface Deletion {
  readonly isUnderWay: Effect.Effect<boolean>
  /** Ends once the workspace is being deleted. */
  readonly begun: Effect.Effect<void>
  /** A deletion waits or works during the work. */
  readonly during: <A, E, R>(work: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>
}

export const makeDeletion: Effect.Effect<Deletion> = Effect.map(SubscriptionRef.make(false), (isUnderWay) => ({
  isUnderWay: SubscriptionRef.get(isUnderWay),
  begun: Effect.asVoid(
    Stream.runHead(Stream.filter(SubscriptionRef.changes(isUnderWay), (isDeleting) => isDeleting))
  ),
  during: (work) =>
    Effect.acquireUseRelease(
      SubscriptionRef.set(isUnderWay, true),
      () => work,
      () => SubscriptionRef.set(isUnderWay, false)
    )
}))
