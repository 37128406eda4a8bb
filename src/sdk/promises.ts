import { Effect, type Layer, ManagedRuntime, Result, Stream } from "effect"
import { DaemonUnavailable, InvalidRequest, type PyroError } from "../contract/errors/errors.ts"
import { commandOutput } from "../contract/rows/bounded-output.ts"
import type { CommandOutput } from "../contract/rows/operation.ts"
import type { EventOf, Operation, OperationName, OperationOf, ResultOf } from "../contract/rows/operations.ts"
import { type Nested, nested, type Pyro } from "../contract/rows/Pyro.ts"
import type { RunInput } from "../contract/rows/run-input.ts"
import { readInput, type Stdin } from "./handle/input.ts"
import { collecting, pyro } from "./model/effects.ts"
import { isOptions, noOptions, type Options } from "./model/options.ts"
import { signalOf } from "./promises/given.ts"
import { rejecting } from "./promises/rejection.ts"

export interface CallOptions {
  /** An abort ends the work, and then the promise rejects with the signal's reason. */
  readonly signal?: AbortSignal
  /**
   * Stdin of a command, or the content of an upload, whole or in pieces, text as UTF-8. Absent: /dev/null for a command. A failure of the
   * input ends the command, and an upload then leaves the old file.
   */
  readonly stdin?: Stdin
}

/** An operation as a promise. An operation with events is also an async iterable. */
export type PromiseCall<Name extends OperationName> =
  & ((...args: Arguments<Name>) => Name extends CommandName ? CommandPromise<ResultOf<Name>> : Promise<ResultOf<Name>>)
  & (OperationOf<Name> extends { readonly kind: "streaming" } ? {
      /** Events as they happen. The end of the loop ends the work. */
      readonly stream: (...args: Arguments<Name>) => AsyncIterable<EventOf<Name>>
    }
    : unknown)

/** Operations whose result is that of a command. */
type CommandName = "run" | "workspace.exec"

/** The error that rejects the promise of a command. */
export type CommandError = PyroError & {
  /** The output until the failure. */
  readonly output: CommandOutput
}

/** Result of a command. Rejects with a `CommandError`, or with the reason of its aborted signal. */
export interface CommandPromise<Result> extends Promise<Result> {
  /** The output until now: also of a command that an aborted signal has ended, or that has failed. */
  readonly outputSoFar: () => CommandOutput
}

type Arguments<Name extends OperationName> = {} extends Options<Name> ? [options?: Options<Name>, call?: CallOptions]
  : [options: Options<Name>, call?: CallOptions]

/** pyro for programs that do not use Effect. Rejections are the errors of the contract: see their `_tag` and `code`. */
export interface PyroPromises extends Nested<{ readonly [Name in OperationName]: PromiseCall<Name> }>, AsyncDisposable {
  /** Ends all waiting calls and releases all resources. Workspaces stay. */
  readonly close: () => Promise<void>
}

/** The second argument of a call, also of a caller without types. */
const readCallOptions = (how: object): Result.Result<CallOptions, InvalidRequest> => {
  if (!isOptions(how)) return Result.fail(noOptions())
  const { signal, stdin, ...others } = how as CallOptions
  const [unknown] = Object.keys(others)
  if (unknown !== undefined) {
    return Result.fail(new InvalidRequest({ field: unknown, detail: `is unexpected, expected: "signal" | "stdin"` }))
  }
  return Result.map(
    signalOf(signal),
    (signal) => ({ ...(signal && { signal }), ...(stdin !== undefined && { stdin }) })
  )
}

type AnyCall = (options?: object, call?: CallOptions) => unknown

const nothingYet = (): CommandOutput => commandOutput(0).kept()

/** The Effect API's call of a row. */
const effectCallOf = (row: Operation) => {
  let at: unknown = pyro
  for (const word of row.name.split(".")) at = (at as Record<string, unknown>)[word]
  return at as (options: object, input?: RunInput) => unknown
}

/** `layer` does the work: through the daemon (`layerDaemon`) or in this process (`layer`). */
export const makePromises = (layer: Layer.Layer<Pyro, PyroError>): PyroPromises => {
  const runtime = ManagedRuntime.make(layer)
  let isClosed = false
  /** Error of a call after `close`, in place of Effect's own error. */
  const closed = Effect.fail(new DaemonUnavailable({ detail: "this client was closed", closed: true }))
  const promise = <A>(
    row: Operation,
    effect: Effect.Effect<A, PyroError, Pyro>,
    { signal }: CallOptions,
    outputSoFar?: () => CommandOutput
  ): Promise<A> =>
    // A promise rejects with the error itself instead of Effect's wrapper.
    (isClosed
      ? Effect.runPromise(Effect.result(closed))
      : runtime.runPromise(Effect.result(effect), signal && { signal }))
      .then((result) => {
        if (result._tag === "Failure") throw result.failure
        return result.success
      })
      .catch(rejecting(row, signal, outputSoFar))
  const iterable = <A>(
    row: Operation,
    events: Stream.Stream<A, PyroError, Pyro>,
    { signal }: CallOptions
  ): AsyncIterable<A> => ({
    [Symbol.asyncIterator]: () => {
      const aborted = Effect.callback<never>((resume) => {
        const abort = () => resume(Effect.interrupt)
        if (signal?.aborted) return abort()
        signal?.addEventListener("abort", abort, { once: true })
        return Effect.sync(() => signal?.removeEventListener("abort", abort))
      })
      const ended = signal === undefined ? events : Stream.interruptWhen(events, aborted)
      const iterator = isClosed
        ? Promise.resolve(Stream.toAsyncIterable(Stream.fromEffect(closed))[Symbol.asyncIterator]())
        : runtime.context().then((ready) => Stream.toAsyncIterableWith(ended, ready)[Symbol.asyncIterator]())
      return {
        next: () => iterator.then((events) => events.next()).catch(rejecting(row, signal)),
        return: async () => (await (await iterator).return?.()) ?? { done: true, value: undefined }
      }
    }
  })
  const promiseCall = (row: Operation): AnyCall => {
    const call = effectCallOf(row)
    if (row.kind === "unary") {
      return (options = {}, how = {}) => {
        const given = readCallOptions(how)
        return Result.isFailure(given)
          ? promise(row, Effect.fail(given.failure), {})
          : promise(row, call(options) as Effect.Effect<unknown, PyroError, Pyro>, given.success)
      }
    }
    const isCommand = row.name === "run" || row.name === "workspace.exec"
    return Object.assign(
      (options: object = {}, how: CallOptions = {}) => {
        let output = nothingYet
        const given = readCallOptions(how)
        const { signal, stdin } = Result.getOrElse(given, (): CallOptions => ({}))
        const input = Result.isFailure(given) ? Effect.fail(given.failure) : readInput(stdin)
        const result = promise(
          row,
          Effect.flatMap(input, (read) => {
            const collected = collecting(row, options, read?.input, (folding) => {
              output = folding.output ?? output
            })
            return read === undefined ? collected : Effect.raceFirst(collected, read.failed)
          }),
          { ...(signal && { signal }) },
          isCommand ? () => output() : undefined
        )
        return Object.assign(result, { outputSoFar: () => output() })
      },
      {
        stream: (options: object = {}, how: CallOptions = {}) => {
          const given = readCallOptions(how)
          if (Result.isFailure(given)) return iterable(row, Stream.fail(given.failure), {})
          const events = Stream.unwrap(Effect.map(readInput(given.success.stdin), (read) => {
            const events = call(options, read?.input) as Stream.Stream<unknown, PyroError, Pyro>
            return read === undefined ? events : Stream.interruptWhen(events, read.failed)
          }))
          return iterable(row, events, given.success)
        }
      }
    )
  }
  const close = () => {
    isClosed = true
    return runtime.dispose()
  }
  return {
    ...nested(promiseCall) as Nested<{ readonly [Name in OperationName]: PromiseCall<Name> }>,
    close,
    [Symbol.asyncDispose]: close
  }
}
