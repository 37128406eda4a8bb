import { Cause, Deferred, Effect, type Layer, ManagedRuntime, Predicate, Stream } from "effect"
import { DaemonUnavailable, InvalidRequest, type PyroError } from "../contract/errors/errors.ts"
import { commandOutput } from "../contract/rows/bounded-output.ts"
import type { CommandOutput } from "../contract/rows/operation.ts"
import type { EventOf, Operation, OperationName, OperationOf, ResultOf } from "../contract/rows/operations.ts"
import { type Nested, nested, type Pyro } from "../contract/rows/Pyro.ts"
import type { RunInput } from "../contract/rows/run-input.ts"
import { collecting, pyro } from "./effects.ts"
import type { Options } from "./options.ts"

/** Stdin of a command, whole or in pieces, text as UTF-8. */
export type Stdin = string | Uint8Array | AsyncIterable<string | Uint8Array>

/** A command's input, and a wait that fails with the input: the command would read a failure as the end of the input. */
interface ReadInput {
  readonly input: RunInput
  readonly failed: Effect.Effect<never, InvalidRequest>
}

const wrong = (detail: string) => new InvalidRequest({ field: "stdin", detail })

const asBytes = (piece: unknown): Effect.Effect<Uint8Array, InvalidRequest> => {
  if (typeof piece === "string") return Effect.succeed(Buffer.from(piece))
  if (piece instanceof Uint8Array) return Effect.succeed(piece)
  return Effect.fail(wrong("must be a string, bytes, or an AsyncIterable of these"))
}

const unread = (cause: unknown) =>
  wrong(`could not be read: ${Predicate.isError(cause) ? cause.message : String(cause)}`)

/** Not `Stream.fromAsyncIterable`: its end waits for the iterable, and a pipe without a writer never answers. */
const piecesOf = (stdin: AsyncIterable<unknown>): Stream.Stream<unknown, InvalidRequest> =>
  Stream.unwrap(Effect.map(
    Effect.acquireRelease(
      Effect.try({ try: () => stdin[Symbol.asyncIterator](), catch: unread }),
      (iterator) => Effect.sync(() => void Promise.resolve().then(() => iterator.return?.()).catch(() => {}))
    ),
    (iterator) =>
      Stream.fromEffectRepeat(Effect.flatMap(
        Effect.tryPromise({ try: () => iterator.next(), catch: unread }),
        ({ done, value }) => done === true ? Cause.done() : Effect.succeed(value as unknown)
      ))
  ))

/** The caller's input, also from a caller without types. `undefined` for none. */
const readInput = (stdin: Stdin | undefined): Effect.Effect<ReadInput | undefined, InvalidRequest> => {
  if (stdin === undefined) return Effect.succeed(undefined)
  if (!Predicate.hasProperty(stdin, Symbol.asyncIterator)) {
    return Effect.map(asBytes(stdin), (bytes) => ({ input: { stdin: Stream.make(bytes) }, failed: Effect.never }))
  }
  const failed = Deferred.makeUnsafe<never, InvalidRequest>()
  const pieces = piecesOf(stdin).pipe(
    Stream.mapEffect(asBytes),
    Stream.catch((failure) => Stream.concat(Stream.fromEffectDrain(Deferred.fail(failed, failure)), Stream.never))
  )
  return Effect.succeed({ input: { stdin: pieces }, failed: Deferred.await(failed) })
}

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

type AnyCall = (options?: object, call?: CallOptions) => unknown

const nothingYet = (): CommandOutput => commandOutput(0).kept()

const isPyroError = (cause: unknown): cause is PyroError =>
  Predicate.isError(cause) && Predicate.hasProperty(cause, "_tag") && Predicate.hasProperty(cause, "code")

/** The lines of the program that wait for the promise whose handler is `handler`. */
const waitingFrames = (handler: (cause: unknown) => never): string => {
  const holder = { stack: "" }
  Error.captureStackTrace(holder, handler)
  return holder.stack.split("\n").filter((line) => /^ +at (?!process\.processTicks)/.test(line)).map((line) =>
    `\n${line}`
  ).join("")
}

/**
 * Ends the chain of each promise. An aborted call rejects with the caller's own reason. An error gets a stack for people: its code, the
 * operation, and the lines of the program. The SDK's own frames would surround its message.
 */
const rejecting = (
  { name }: Operation,
  signal: AbortSignal | undefined,
  outputSoFar?: () => CommandOutput
) => {
  const reject = (cause: unknown): never => {
    // The reason is the caller's own object, and may reject other calls too: it gets no output.
    if (signal?.aborted === true) throw signal.reason
    if (!isPyroError(cause)) throw cause
    if (outputSoFar !== undefined) Object.defineProperty(cause, "output", { value: outputSoFar(), configurable: true })
    const value = `${cause._tag} [${cause.code}]: ${name}: ${cause.message}${waitingFrames(reject)}`
    throw Object.defineProperty(cause, "stack", { value, configurable: true })
  }
  return reject
}

/** The Effect API's call of a row. */
const effectCallOf = (row: Operation) => {
  let at: unknown = pyro
  for (const word of row.name.split(".")) at = (at as Record<string, unknown>)[word]
  return at as (options: object, input?: RunInput) => unknown
}

/** `layer` does the work: behind the daemon (`layerDaemon`) or in this process (`layer`). */
export const makePromises = (layer: Layer.Layer<Pyro, PyroError>): PyroPromises => {
  const runtime = ManagedRuntime.make(layer)
  let isClosed = false
  /** Error of a call after `close`, in place of Effect's own error. */
  const closed = Effect.fail(new DaemonUnavailable({ detail: "this client was closed; make another one" }))
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
      return (options = {}, how = {}) => promise(row, call(options) as Effect.Effect<unknown, PyroError, Pyro>, how)
    }
    const isCommand = row.name === "run" || row.name === "workspace.exec"
    return Object.assign(
      (options: object = {}, how: CallOptions = {}) => {
        let output = nothingYet
        const result = promise(
          row,
          Effect.flatMap(readInput(how.stdin), (read) => {
            const collected = collecting(row, options, read?.input, (folding) => {
              output = folding.output ?? output
            })
            return read === undefined ? collected : Effect.raceFirst(collected, read.failed)
          }),
          how,
          isCommand ? () => output() : undefined
        )
        return Object.assign(result, { outputSoFar: () => output() })
      },
      {
        stream: (options: object = {}, how: CallOptions = {}) =>
          iterable(
            row,
            Stream.unwrap(Effect.map(readInput(how.stdin), (read) => {
              const events = call(options, read?.input) as Stream.Stream<unknown, PyroError, Pyro>
              return read === undefined ? events : Stream.interruptWhen(events, read.failed)
            })),
            how
          )
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
