import { Effect, type Scope } from "effect"

/** Repeated work of a daemon. A failure of one chore does not affect the others. */
interface Chore<R> {
  readonly everySeconds: number
  readonly work: Effect.Effect<unknown, never, R>
}

/**
 * Does chores as long as the Scope is open, each again and again. One timer serves all: a process that sleeps pays for each time that it is woken.
 * A chore that takes long is left out until it has ended. The Scope waits for a chore that cannot be interrupted.
 * `beat` comes every second, before the chores of the second.
 */
export const doChores = <R>(
  chores: ReadonlyArray<Chore<R>>,
  beat: Effect.Effect<void> = Effect.void
): Effect.Effect<void, never, R | Scope.Scope> =>
  Effect.gen(function*() {
    const running = new Set<Chore<R>>()
    let second = 0
    const begin = (chore: Chore<R>) =>
      Effect.suspend(() => {
        if (second % chore.everySeconds !== 0 || running.has(chore)) return Effect.void
        running.add(chore)
        return Effect.forkScoped(Effect.ensuring(chore.work, Effect.sync(() => running.delete(chore))))
      })
    const tick = beat.pipe(
      Effect.andThen(Effect.suspend(() => Effect.forEach(chores, begin, { discard: true }))),
      Effect.andThen(Effect.sync(() => second++)),
      Effect.andThen(Effect.sleep("1 second"))
    )
    yield* Effect.forkScoped(Effect.forever(tick))
  })
