import { Effect, Schema, Stream } from "effect"
import { ChannelFailed, InvalidRequest, type PyroError } from "../contract/errors.ts"
import { run as operation, type RunEvent, RunPayload, type RunResult } from "../contract/operations/run.ts"
import { Pyro, type RunInput } from "../contract/Pyro.ts"
import { snakeCase } from "../contract/snake.ts"

/** What to run, and where; everything but the environment may be left out and then has the contract's default. */
export type RunOptions =
  & Pick<RunPayload, "environment">
  & { readonly [K in keyof RunPayload]?: RunPayload[K] | undefined }

/** The whole request for some options; fails with InvalidRequest, before anything is started. */
export const runPayload = (options: RunOptions): Effect.Effect<RunPayload, InvalidRequest> => {
  const given = Object.entries(options).filter(([, value]) => value !== undefined)
  return Schema.decodeUnknown(RunPayload())(Object.fromEntries(given.map(([name, value]) => [snakeCase(name), value])))
    .pipe(Effect.mapError((error) => new InvalidRequest({ field: "", detail: error.message })))
}

/**
 * Runs one command in a fresh microVM and streams what happens, in the order in which the guest produced it. The
 * microVM lives as long as the stream is being consumed: its end, failure or interruption throws it away.
 */
export const run = (options: RunOptions, input?: RunInput): Stream.Stream<RunEvent, PyroError, Pyro> =>
  Stream.unwrap(Effect.gen(function*() {
    const pyro = yield* Pyro
    return pyro.run(yield* runPayload(options), input)
  }))

/** Runs one command to its end and returns what it printed: head and tail, up to `maxBytes` of each stream. */
export const runCollected = (options: RunOptions, input?: RunInput): Effect.Effect<RunResult, PyroError, Pyro> =>
  Effect.gen(function*() {
    const pyro = yield* Pyro
    const payload = yield* runPayload(options)
    const folding = operation.fold(payload)
    yield* Stream.runForEach(pyro.run(payload, input), (event) => Effect.sync(() => folding.add(event)))
    return folding.result() ?? (yield* new ChannelFailed({ detail: "the stream of events ended without its last" }))
  })
