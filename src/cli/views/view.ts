import type { Effect } from "effect"
import type { PyroError } from "../../contract/errors/errors.ts"
import type { Notice } from "../../contract/rows/notice.ts"
import type { Folding, PureSchema } from "../../contract/rows/operation.ts"
import type { EventOf, OperationName, PayloadOf, ResultOf } from "../../contract/rows/operations.ts"
import type { PyroService } from "../../contract/rows/Pyro.ts"
import type { Tagged } from "../output/progress.ts"
import type { OutputClosed, Terminal } from "../terminal/Terminal.ts"

/** Outcome of a view's own way to perform an operation: the result, or the exit status if it has shown the result itself. */
type Performed<Result> =
  | { readonly _tag: "Result"; readonly result: Result }
  | { readonly _tag: "Shown"; readonly status: number }

/** How one operation is shown to people. */
export interface View<Name extends OperationName> {
  /** Shows an event on arrival. Progress shows notices. */
  readonly event?: (event: Exclude<EventOf<Name>, Notice>) => Effect.Effect<void, OutputClosed, Terminal>
  readonly result: (result: ResultOf<Name>, payload: PayloadOf<Name>) => Effect.Effect<void, OutputClosed, Terminal>
  /** Exit status of a result that text shows incompletely. JSON has a field for that. */
  readonly exitStatus?: (result: ResultOf<Name>) => number
  /** JSON name of a list in the result. For a follower, whose `next` never ends, `--json` prints each item as one line. */
  readonly items?: string
  /** Request of the next page after a partial result. JSON is one page, except for a follower's `items`. */
  readonly next?: (payload: PayloadOf<Name>, result: ResultOf<Name>) => PayloadOf<Name> | undefined
  /** Performs the operation with more than one request, or with the terminal. Undefined: with one request. @default with one request */
  readonly perform?: (
    pyro: PyroService,
    payload: PayloadOf<Name>,
    json: boolean
  ) => Effect.Effect<Performed<ResultOf<Name>>, PyroError | OutputClosed, Terminal> | undefined
}

/** The views of some operations. */
export type Views = { readonly [Name in OperationName]?: View<Name> }

/** A row of the operation table without its types. */
export interface AnyOperation {
  readonly result: () => PureSchema
  readonly exitStatus?: (result: unknown, payload: unknown) => number
  readonly fold?: (payload: unknown) => Folding<unknown, unknown>
}

/** A view without its types. */
export interface AnyView {
  readonly event?: (event: Tagged) => Effect.Effect<void, OutputClosed, Terminal>
  readonly result: (result: unknown, payload: unknown) => Effect.Effect<void, OutputClosed, Terminal>
  readonly exitStatus?: (result: unknown) => number
  readonly next?: (payload: unknown, result: unknown) => unknown
  readonly items?: string
  readonly perform?: (
    pyro: PyroService,
    payload: unknown,
    json: boolean
  ) => Effect.Effect<Performed<unknown>, PyroError | OutputClosed, Terminal> | undefined
}
