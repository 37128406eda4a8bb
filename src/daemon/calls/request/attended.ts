import { Effect } from "effect"
import type { Operation } from "../../../contract/rows/operations.ts"
import { every, type Wrap } from "../wrap.ts"
import type { RequestCall, Surroundings } from "./request.ts"

type Counts = Pick<Surroundings, "isReader" | "requests">

/** Counts a request of the row, or the work of one, until its Scope closes. Fails if the daemon leaves. */
export const attendOf = (row: Operation, { isReader, requests: { refuseWhenClosed, track, trackReader } }: Counts) =>
  row.kind === "unary" && row.home === "observer"
    ? refuseWhenClosed
    : isReader?.(row) === true
    ? trackReader
    : track

/**
 * Counts a request until its Scope closes: the daemon stays for it. A daemon that leaves refuses the request before it has any effect, and the
 * client asks the next one. An operation that only observes the daemon does not keep it.
 *
 * Needs the counts of requests. Stands outside of every line with an effect.
 */
export const attended: Wrap<RequestCall, Counts> = {
  name: "attended",
  does: "counts the request, for which the daemon stays; a daemon that leaves refuses it",
  because: "outside of every line with an effect: a refused request has none",
  concerns: every,
  around: (row, call, surroundings) => {
    const attend = attendOf(row, surroundings)
    return (payload, request) => Effect.andThen(attend, call(payload, request))
  }
}
