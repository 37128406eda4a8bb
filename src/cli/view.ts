import type { Effect } from "effect"
import type { PyroError } from "../contract/errors/errors.ts"
import type { Notice } from "../contract/rows/notice.ts"
import type { EventOf, OperationName, PayloadOf, ResultOf } from "../contract/rows/operations.ts"
import type { PyroService } from "../contract/rows/Pyro.ts"
import type { OutputClosed, Terminal } from "./terminal.ts"

/** What came of an operation that was done in a way of its own: its result, or the exit status when it showed the result itself. */
export type Performed<Result> =
  | { readonly _tag: "Result"; readonly result: Result }
  | { readonly _tag: "Shown"; readonly status: number }

/** How one operation is shown to people. */
export interface View<Name extends OperationName> {
  /** Shows an event when it comes; notices are shown elsewhere. */
  readonly event?: (event: Exclude<EventOf<Name>, Notice>) => Effect.Effect<void, OutputClosed, Terminal>
  readonly result: (result: ResultOf<Name>, payload: PayloadOf<Name>) => Effect.Effect<void, OutputClosed, Terminal>
  /** Exit status of a result that is printed incompletely. JSON has a field for that. */
  readonly exitStatus?: (result: ResultOf<Name>) => number
  /** JSON name of a list in the result. `--json` of a follower, whose `next` never ends, prints each item of it as one line. */
  readonly items?: string
  /** Request of the next page after a partial result. JSON is one page, but for a follower's `items`. */
  readonly next?: (payload: PayloadOf<Name>, result: ResultOf<Name>) => PayloadOf<Name> | undefined
  /** Does the operation with more than one request, or with the terminal. Undefined: as every other. @default always as every other */
  readonly perform?: (
    pyro: PyroService,
    payload: PayloadOf<Name>,
    json: boolean
  ) => Effect.Effect<Performed<ResultOf<Name>>, PyroError | OutputClosed, Terminal> | undefined
}
