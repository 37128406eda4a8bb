import type { Effect } from "effect"
import type { Notice } from "../contract/notice.ts"
import type { EventOf, OperationName, PayloadOf, ResultOf } from "../contract/operations.ts"
import type { OutputClosed, Terminal } from "./terminal.ts"

/** How one operation is shown to people. */
export interface View<Name extends OperationName> {
  /** Shows an event when it comes; notices are shown elsewhere. */
  readonly event?: (event: Exclude<EventOf<Name>, Notice>) => Effect.Effect<void, OutputClosed, Terminal>
  readonly result: (result: ResultOf<Name>, payload: PayloadOf<Name>) => Effect.Effect<void, OutputClosed, Terminal>
  /** What of it people are not shown makes a status of its own; in JSON a field says the same. */
  readonly exitStatus?: (result: ResultOf<Name>) => number
  /** What is asked for next, after a result that is only a part of what people want to see. JSON is always one part. */
  readonly next?: (payload: PayloadOf<Name>, result: ResultOf<Name>) => PayloadOf<Name> | undefined
}
