import type { Effect, Scope } from "effect"
import type { PyroError } from "../../../contract/errors/errors.ts"
import type { PullEvents } from "../../../contract/rows/event-batches.ts"
import { holdOf } from "../../../contract/wire/hold.ts"
import type { RequestRefusal } from "../../../contract/wire/rpcs.ts"
import { every, type Wrap } from "../wrap.ts"
import type { RequestCall, Surroundings } from "./request.ts"

type Events = Effect.Effect<PullEvents<unknown, PyroError | RequestRefusal>, PyroError | RequestRefusal, Scope.Scope>

/**
 * Keeps the work of a request whose connection is lost, for the time that its client asked for. The client asks again by the id of the request, and
 * gets the answer or the events that it missed. An interruption by the client ends the work at once.
 *
 * Needs the kept work of the daemon. Stands outside of `attended`: the daemon stays for kept work, and the input of a request lives as long.
 */
export const hold: Wrap<RequestCall, Pick<Surroundings, "holds">> = {
  name: "hold",
  does: "keeps the work of a request whose connection is lost, until the client asks again",
  because: "outside of attended: the daemon stays for the work, and not for the connection",
  concerns: every,
  around: (row, call, { holds }): RequestCall =>
    holds === undefined ? call : (payload, request) => {
      const asked = holdOf(request.headers)
      if (asked === undefined) return call(payload, request)
      return row.kind === "unary"
        ? holds.ask(asked, call(payload, request))
        : holds.events(asked, call(payload, request) as Events, request.onCredit)
    }
}
