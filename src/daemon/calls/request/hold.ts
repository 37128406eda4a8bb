import { Effect, type Scope } from "effect"
import type { PyroError } from "../../../contract/errors/errors.ts"
import type { PullEvents } from "../../../contract/rows/event-batches.ts"
import { HOLD_HEADER, holdOf } from "../../../contract/wire/hold.ts"
import { identityOf, ownedId } from "../../../contract/wire/identity.ts"
import type { RequestRefusal } from "../../../contract/wire/request-errors.ts"
import { every, type Wrap } from "../wrap.ts"
import { attendOf } from "./attended.ts"
import type { RequestCall, Surroundings } from "./request.ts"

type Events = Effect.Effect<PullEvents<unknown, PyroError | RequestRefusal>, PyroError | RequestRefusal, Scope.Scope>

/**
 * Keeps the work of a request whose connection is lost, for the time that its client asked for. The client asks again by the id of the request, and
 * gets the answer or the events that it missed. An interruption by the client ends the work at once.
 *
 * Needs the kept work of the daemon. Stands outside of `input`, whose input lives as long as the work. Counts the work beside the request: each may
 * outlive the other one.
 */
export const hold: Wrap<RequestCall, Pick<Surroundings, "holds" | "isReader" | "requests">> = {
  name: "hold",
  does:
    "keeps the work of a request whose connection is lost, until the client asks again; the daemon stays for the work, too",
  because: "inside of attended: a daemon that leaves keeps nothing",
  concerns: every,
  around: (row, call, surroundings): RequestCall => {
    const { holds } = surroundings
    if (holds === undefined) return call
    const attend = attendOf(row, surroundings)
    return (payload, request) => {
      const header = request.headers[HOLD_HEADER]
      if (header === undefined) return call(payload, request)
      const work = Effect.andThen(attend, call(payload, request))
      const held = Effect.map(
        holdOf(header),
        (hold) => ({ ...hold, id: ownedId(identityOf(request.headers), hold.id) })
      )
      return Effect.flatMap(held, (asked) =>
        row.kind === "unary"
          ? holds.ask(row.name, asked, work)
          : holds.events(row.name, asked, work as Events, request.onCredit))
    }
  }
}
