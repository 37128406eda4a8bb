import { Effect, Stream } from "effect"

/**
 * Runs `f` for each element while it returns true. `Stream.runForEachWhile` does the same, but keeps every element until its end: 4 GiB for
 * a file of 4 GiB.
 */
export const forEachWhile = <A, E, R, E2, R2>(
  stream: Stream.Stream<A, E, R>,
  f: (element: A) => Effect.Effect<boolean, E2, R2>
): Effect.Effect<void, E | E2, R | R2> =>
  Stream.runDrain(Stream.takeUntilEffect(stream, (element) => Effect.map(f(element), (more) => !more)))
