import { Effect, Exit, Option, Result, Scope, Stream } from "effect"
import type { PyroError } from "../../contract/errors/errors.ts"
import type { Pyro } from "../../contract/rows/Pyro.ts"
import type { client as Client } from "../handle/client.ts"
import { ABORT, type Abortable, DISPOSE, HALVES, type Halves, HANDLE } from "../handle/marks.ts"
import type { PyroClient } from "./client.ts"
import { givenTo } from "./given.ts"
import type { Run } from "./run.ts"
import { readable, writable } from "./web-streams.ts"

type Scoped = Effect.Effect<unknown, PyroError, Pyro | Scope.Scope>
type Fields = Readonly<Record<PropertyKey, unknown>>

const isObject = (value: unknown): value is Fields => typeof value === "object" && value !== null

/** A promise of the result of work. The work gets a Scope, whose end is that of the result. */
const promised = (run: Run, name: string, work: Scoped, signal: AbortSignal | undefined): Promise<unknown> => {
  // Work that never waits would end before its interruption.
  if (signal?.aborted === true) return run(name, Effect.never, signal)
  const scope = Scope.makeUnsafe()
  const close = Scope.close(scope, Exit.void)
  const kept = Effect.onExit(Scope.provide(work, scope), (exit) => Exit.isFailure(exit) ? close : Effect.void)
  return run(name, kept, signal).then((result) => {
    if (signal !== undefined && isObject(result) && ABORT in result) {
      endWith(signal, run, name, result[ABORT] as Abortable)
    }
    return converted(run, name, result, close)
  })
}

/** The signal ends the work while it goes on. Who waits for the work is told by its end. */
const endWith = (signal: AbortSignal, run: Run, name: string, { end, ended }: Abortable): void => {
  const abort = () => void run(`${name}.abort`, Effect.ignore(end)).catch(() => undefined)
  if (signal.aborted) return abort()
  signal.addEventListener("abort", abort, { once: true })
  run(name, ended).catch(() => undefined).finally(() => signal.removeEventListener("abort", abort))
}

const converted = (run: Run, name: string, result: unknown, close: Effect.Effect<void>): unknown => {
  if (Option.isOption(result)) return Option.isSome(result) ? converted(run, name, result.value, close) : null
  if (Array.isArray(result)) {
    // Each ends by itself, and the whole ends the Scope of all.
    const forms = result.map((one: unknown) => converted(run, name, one, Effect.void))
    return HANDLE in result ? disposable(run, String(result[HANDLE]), forms, close) : forms
  }
  return isObject(result) && HANDLE in result ? formOf(run, String(result[HANDLE]), result, close) : result
}

/** Methods that give a stream at once. */
const STREAMS: ReadonlySet<string> = new Set(["Workspace.files.stream", "Workspace.files.watch", "Workspace.try"])

const member = (run: Run, name: string, value: unknown): unknown => {
  if (typeof value === "function") {
    return (...all: ReadonlyArray<unknown>) => {
      const given = givenTo(name, all)
      if (Result.isFailure(given)) {
        return STREAMS.has(name)
          ? readable(name, Stream.fail(given.failure))
          : promised(run, name, Effect.fail(given.failure), undefined)
      }
      const { args, signal } = given.success
      const result: unknown = value(...args)
      return Stream.isStream(result)
        ? readable(name, result as Stream.Stream<unknown, PyroError>, signal)
        : promised(run, name, result as Scoped, signal)
    }
  }
  if (Stream.isStream(value)) return readable(name, value as Stream.Stream<unknown, PyroError>)
  if (isObject(value) && HALVES in value) return writable(run, name, value[HALVES] as Halves)
  return isObject(value) && HANDLE in value ? formOf(run, name, value) : value
}

/** Each member is made with its first use: a stream of the web without a reader costs nothing. */
const lazily = (make: () => unknown): PropertyDescriptor => {
  let made: { readonly value: unknown } | undefined
  return { enumerable: true, get: () => (made ??= { value: make() }).value }
}

const formOf = (run: Run, name: string | undefined, methods: object, close?: Effect.Effect<void>): object => {
  const form = {}
  for (const [key, value] of Object.entries(methods)) {
    const called = name === undefined ? key : `${name}.${key}`
    Object.defineProperty(form, key, lazily(() => member(run, called, value)))
  }
  if (name === undefined || close === undefined) return form
  const { [DISPOSE]: end = Effect.void } = methods as { readonly [DISPOSE]?: Effect.Effect<unknown, PyroError> }
  return disposable(run, name, form, Effect.ensuring(end, close))
}

const disposable = (run: Run, name: string, form: object, end: Effect.Effect<unknown, PyroError>): object =>
  Object.defineProperty(form, Symbol.asyncDispose, { value: () => run(`${name}.dispose`, Effect.asVoid(end)) })

/** The client, whose methods are those of no handle. */
export const clientOf = (run: Run, client: typeof Client): Omit<PyroClient, "close" | typeof Symbol.asyncDispose> =>
  formOf(run, undefined, client) as PyroClient
