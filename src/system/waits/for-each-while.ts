import { Effect, Stream } from "effect"

/**
 * Runs `f` for each element until it says that no more is wanted. What `Stream.runForEachWhile` does, but that holds on to every
 * element until its end: 4 GiB of a file of 4 GiB.
 */
export const forEachWhile = <A, E, R, E2, R2>(
  stream: Stream.Stream<A, E, R>,
  f: (element: A) => Effect.Effect<boolean, E2, R2>
): Effect.Effect<void, E | E2, R | R2> =>
  Stream.runDrain(Stream.takeUntilEffect(stream, (element) => Effect.map(f(element), (more) => !more)))
