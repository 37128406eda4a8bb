import { isPyroError } from "./rejection.ts"

/**
 * What to do next: a call of pyro, another argument of the failed call, a command for a shell of the host, or words alone. `label` is the
 * purpose, an imperative phrase without a full stop.
 */
export type NextStep =
  | {
    readonly label: string
    /** Name of an operation, such as `workspace.start`. */
    readonly call: string
    /** Its arguments by their JSON names. */
    readonly with: { readonly [name: string]: unknown }
    /** JSON names of arguments that the caller chooses. Absent if there are none. */
    readonly choose?: ReadonlyArray<string>
  }
  | { readonly label: string; readonly option: string; readonly value?: unknown }
  | { readonly label: string; readonly command: string }
  /** `page`: a page of the documents that says more. */
  | { readonly label: string; readonly page?: string }

/** An error of pyro. `instanceof PyroError` and `instanceof WorkspaceNotFound` tell errors apart, and so does `code`. */
export interface PyroError extends Error {
  /** Name of the class. */
  readonly _tag: string
  /** Stable code, such as `workspace_not_found`. */
  readonly code: string
  /** What happened, with the values. The message has the next steps, too. */
  readonly fact: string
  /** What to do next, the best first: a call of pyro, another argument of the failed call, or a command for a shell of the host. */
  readonly next: ReadonlyArray<NextStep>
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
 *   if (error instanceof PyroError) console.error(error.code, error.fact, error.next)
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
