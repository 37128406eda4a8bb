import { Result } from "effect"
import { InvalidRequest } from "../../contract/errors/errors.ts"
import { isOptions, noOptions } from "../model/options.ts"
import { optionPlaces } from "./option-places.ts"

/** Whether a value is an AbortSignal, also one of a polyfill or of another realm. */
const isSignal = (value: unknown): value is AbortSignal =>
  isOptions(value) &&
  "aborted" in value && typeof value.aborted === "boolean" &&
  "addEventListener" in value && typeof value.addEventListener === "function" &&
  "removeEventListener" in value && typeof value.removeEventListener === "function"

/** The signal of a call, also from a caller without types. */
export const signalOf = (signal: unknown): Result.Result<AbortSignal | undefined, InvalidRequest> =>
  signal === undefined || isSignal(signal)
    ? Result.succeed(signal)
    : Result.fail(new InvalidRequest({ field: "signal", detail: "must be an AbortSignal" }))

interface Given {
  /** The arguments of the method, without the signal. */
  readonly args: ReadonlyArray<unknown>
  readonly signal: AbortSignal | undefined
}

/** The arguments of a method of a handle, and the signal, which is among its options. `name` is that of the method. */
export const givenTo = (name: string, args: ReadonlyArray<unknown>): Result.Result<Given, InvalidRequest> => {
  const place = optionPlaces.get(name)
  // An argument of null is an absent one, as some programs write it.
  const options = place === undefined ? undefined : args[place] ?? undefined
  if (options === undefined) return Result.succeed({ args: args.slice(0, place), signal: undefined })
  if (!isOptions(options)) return Result.fail(noOptions())
  const { signal, ...rest } = options as { readonly signal?: unknown }
  return Result.map(signalOf(signal), (signal) => ({ args: [...args.slice(0, place), rest], signal }))
}
