import type { Effect, Scope } from "effect"
import type { PyroError } from "../../../contract/errors/errors.ts"
import type { PullEvents } from "../../../contract/rows/event-batches.ts"
import { every, type Wrap } from "../wrap.ts"
import { type AnyEvent, observe, observeEvents } from "./observe.ts"
import type { RequestCall, Surroundings } from "./request.ts"

/**
 * Observes an operation: its span, its duration, its outcome and the bytes of its output.
 *
 * Needs the metrics of the process. Stands outside of the checks: a refused request counts with its error.
 */
export const observed: Wrap<RequestCall, Pick<Surroundings, "hasSpan">> = {
  name: "observed",
  does: "records duration, outcome and output bytes in the metrics, and a span",
  because: "outside of the checks: a refused request counts with its error",
  concerns: every,
  around: (row, call, { hasSpan }): RequestCall => {
    if (row.kind === "unary") {
      const watch = observe(row)
      return (payload, request) => watch(call(payload, request))
    }
    const watch = observeEvents(row, hasSpan(row))
    return (payload, request) =>
      watch(call(payload, request) as Effect.Effect<PullEvents<AnyEvent>, PyroError, Scope.Scope>)
  }
}
