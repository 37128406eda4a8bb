import { isPyroError } from "./rejection.ts"

/** An error of pyro. `instanceof PyroError` and `instanceof WorkspaceNotFound` tell errors apart, and so does `code`. */
export interface PyroError extends Error {
  /** Name of the class. */
  readonly _tag: string
  /** Stable code, such as `workspace_not_found`. */
  readonly code: string
  /** What happened, with the values. The message has the hint, too. */
  readonly fact: string
  /** What a person does next, with the command. Undefined if the fact says it. */
  readonly hint: string | undefined
  /** Id of the workspace whose handle failed. Absent for calls of the client. */
  readonly workspaceId?: string
  /** Id of the command whose handle failed, or that the error is about. Absent for others. */
  readonly execId?: string
  /** Id of the shell whose handle failed, or that the error is about. Absent for others. */
  readonly shellId?: string
}

/** A class for `instanceof`. pyro alone makes its instances. */
export interface ErrorClass<E> {
  /** Type of the instances. */
  readonly prototype: E
  readonly [Symbol.hasInstance]: (value: unknown) => value is E
}

/** A class of the contract in the form that declarations without effect have. */
export const asErrorClass = <E>(contract: unknown): ErrorClass<E> => contract as ErrorClass<E>

/**
 * The class of all errors of pyro.
 *
 * @example
 * try {
 *   await ws.exec(["no-such-program"])
 * } catch (error) {
 *   if (error instanceof PyroError) console.error(error.code, error.hint)
 *   else throw error
 * }
 */
export const PyroError: ErrorClass<PyroError> = asErrorClass(
  class {
    static [Symbol.hasInstance](value: unknown) {
      return isPyroError(value)
    }
  }
)
