import { Effect } from "effect"
import { every, type Wrap } from "../wrap.ts"
import type { RequestCall, Surroundings } from "./request.ts"

/**
 * Counts a request until its Scope closes: the daemon stays for it. A daemon that leaves refuses the request before it has any effect, and the
 * client asks the next one. An operation that only observes the daemon does not keep it.
 *
 * Needs the counts of requests. Stands outside of every line with an effect.
 */
export const attended: Wrap<RequestCall, Pick<Surroundings, "isReader" | "requests">> = {
  name: "attended",
  does: "counts the request, for which the daemon stays; a daemon that leaves refuses it",
  because: "outside of every line with an effect: a refused request has none",
  concerns: every,
  around: (row, call, { isReader, requests: { refuseWhenClosed, track, trackReader } }) => {
    const attend = row.kind === "unary" && row.home === "observer"
      ? refuseWhenClosed
      : isReader?.(row) === true
      ? trackReader
      : track
    return (payload, request) => Effect.andThen(attend, call(payload, request))
  }
}
