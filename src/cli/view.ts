import type { Effect } from "effect"
import type { Notice } from "../contract/notice.ts"
import type { EventOf, OperationName, ResultOf } from "../contract/operations.ts"
import type { OutputClosed, Terminal } from "./terminal.ts"

/** How one operation is shown to people. */
export interface View<Name extends OperationName> {
  /** Shows an event when it comes; notices are shown elsewhere. */
  readonly event?: (event: Exclude<EventOf<Name>, Notice>) => Effect.Effect<void, OutputClosed, Terminal>
  readonly result: (result: ResultOf<Name>) => Effect.Effect<void, OutputClosed, Terminal>
}
