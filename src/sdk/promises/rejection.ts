import { Predicate } from "effect"
import type { PyroError } from "../../contract/errors/errors.ts"
import type { CommandOutput } from "../../contract/rows/operation.ts"

/** Whether a failure is one of the contract. */
export const isPyroError = (cause: unknown): cause is PyroError =>
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
export const rejecting = (
  { name }: { readonly name: string },
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
