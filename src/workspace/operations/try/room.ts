import { Deferred, Effect, Fiber, type Scope, Semaphore } from "effect"
import { memoryStore, type PyroError } from "../../../contract/errors/errors.ts"

const isNoRoom = (failure: PyroError) =>
  failure._tag === "AdmissionRefused" || (failure._tag === "NoSpace" && failure.where === memoryStore)

/** A fork of a try. */
interface Fork<A, E, R, R2> {
  readonly make: Effect.Effect<A, E, R>
  readonly remove: (made: A) => Effect.Effect<unknown, never, R2>
  /** It is refused, and waits. */
  readonly onWait: () => void
}

/**
 * Makes forks as memory and processors allow. They are made one after the other: of two that are admitted at once, each sees the other, and
 * both may be refused. A fork that is refused waits until another of this try has gone, and fails if there is no other.
 */
export const makeRoom = Effect.gen(function*() {
  const turn = yield* Semaphore.make(1)
  let there = 0
  let gone = Deferred.makeUnsafe<void>()

  const leave = Effect.sync(() => {
    there--
    Deferred.doneUnsafe(gone, Effect.void)
    gone = Deferred.makeUnsafe()
  })

  const enter = <A, E extends PyroError, R, R2>({ make, remove }: Fork<A, E, R, R2>) =>
    Effect.acquireRelease(
      Effect.tap(make, Effect.sync(() => there++)),
      (made) =>
        // In a fiber of its own: a step of the removal that can be interrupted would end at once in the fiber of a stopped candidate.
        Effect.andThen(Effect.flatMap(Effect.forkDetach(remove(made)), Fiber.await), leave)
    )

  const attempt = <A, E extends PyroError, R, R2>(
    fork: Fork<A, E, R, R2>
  ): Effect.Effect<A, E, R | R2 | Scope.Scope> =>
    Effect.suspend(() => {
      const next = gone
      return Effect.catchIf(
        enter(fork),
        (failure) => isNoRoom(failure) && (there > 0 || next !== gone),
        () => {
          if (next === gone) fork.onWait()
          return Effect.andThen(Deferred.await(next), attempt(fork))
        }
      )
    })

  /** A fork until the Scope closes. */
  return <A, E extends PyroError, R, R2>(fork: Fork<A, E, R, R2>) => turn.withPermits(1)(attempt(fork))
})
