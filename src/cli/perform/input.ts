import { Deferred, Effect, type Scope, Stream } from "effect"
import { InvalidRequest } from "../../contract/errors/errors.ts"
import type { RunInput } from "../../contract/rows/run-input.ts"
import type { Input } from "../arguments/extras.ts"
import { Terminal } from "../terminal/Terminal.ts"

/** Runs work with its input. A file that cannot be read to its end fails the work: the input would end with a part of the file. */
export const withInput = <A, E, R>(
  input: Input | undefined,
  work: (input?: RunInput) => Effect.Effect<A, E, R>
): Effect.Effect<A, E | InvalidRequest, Exclude<R, Scope.Scope> | Terminal> =>
  input === undefined ? work() as Effect.Effect<A, E, Exclude<R, Scope.Scope>> : Effect.scoped(Effect.gen(function*() {
    const { openFile } = yield* Terminal
    const refused = ({ detail }: { readonly detail: string }) =>
      new InvalidRequest({ field: `--${input.flag}`, detail })
    const bytes = yield* Effect.mapError(openFile(input.path), refused)
    const failed = yield* Deferred.make<never, InvalidRequest>()
    const stdin = Stream.catch(
      bytes,
      (failure) => Stream.concat(Stream.fromEffectDrain(Deferred.fail(failed, refused(failure))), Stream.never)
    )
    return yield* Effect.raceFirst(work({ stdin }), Deferred.await(failed))
  }))
