import { Effect, type Layer, ManagedRuntime, Stream } from "effect"
import { InvalidRequest, type PyroError } from "../contract/errors.ts"
import type { RunEvent, RunResult } from "../contract/operations/run.ts"
import { Pyro, type PyroService } from "../contract/Pyro.ts"
import { run, runCollected, type RunOptions } from "./run.ts"

export interface CallOptions {
  /** Aborting it ends the command and throws its microVM away before the promise settles. */
  readonly signal?: AbortSignal
}

/** pyro for programs that do not use Effect. Rejections are the errors of the contract: see their `_tag` and `code`. */
export interface PyroPromises extends AsyncDisposable {
  readonly run: (options: RunOptions, call?: CallOptions & { readonly stdin?: AsyncIterable<Uint8Array> }) => Promise<
    RunResult
  >
  /** The same, as it happens; leaving the loop ends the command. */
  readonly stream: (options: RunOptions) => AsyncIterable<RunEvent>
  /** Calls whatever else the service offers: `call((pyro) => pyro.env.list({}))`. */
  readonly call: <A>(use: (pyro: PyroService) => Effect.Effect<A, PyroError>, call?: CallOptions) => Promise<A>
  /** Ends what is still running and releases everything. */
  readonly close: () => Promise<void>
}

/** `layer` does the work, for instance that of src/local. */
export const makePromises = (layer: Layer.Layer<Pyro, PyroError>): PyroPromises => {
  const runtime = ManagedRuntime.make(layer)
  const promise = <A>(effect: Effect.Effect<A, PyroError, Pyro>, call: CallOptions = {}): Promise<A> =>
    // A promise rejects with the error itself instead of Effect's wrapper around it.
    runtime.runPromise(Effect.either(effect), call).then((either) => {
      if (either._tag === "Left") throw either.left
      return either.right
    })
  const close = () => runtime.dispose()
  return {
    run: (options, { stdin, ...call } = {}) =>
      promise(
        runCollected(
          options,
          stdin === undefined ? undefined : {
            stdin: Stream.orDie(
              Stream.fromAsyncIterable(stdin, (cause) => new InvalidRequest({ field: "stdin", detail: String(cause) }))
            )
          }
        ),
        call
      ),
    stream: (options) => ({
      [Symbol.asyncIterator]: () => {
        const events = runtime.runtime().then((ready) =>
          Stream.toAsyncIterableRuntime(run(options), ready)[Symbol.asyncIterator]()
        )
        return {
          next: async () => (await events).next(),
          return: async () => (await (await events).return?.()) ?? { done: true, value: undefined }
        }
      }
    }),
    call: (use, call) => promise(Effect.flatMap(Pyro, use), call),
    close,
    [Symbol.asyncDispose]: close
  }
}
