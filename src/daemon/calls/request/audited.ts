import { Cause, Effect, Exit, Option } from "effect"
import type { PyroError } from "../../../contract/errors/errors.ts"
import type { PullEvents } from "../../../contract/rows/event-batches.ts"
import { identityOf } from "../../../contract/wire/identity.ts"
import { nowIso } from "../../../system/waits/time.ts"
import { every, type Wrap } from "../wrap.ts"
import type { RequestCall, Surroundings } from "./request.ts"

const DONE = "done"

/** The outcome of a request in one word: `done`, `interrupted`, `defect`, or the code of its error. */
const outcomeOf = (cause: Cause.Cause<unknown>): string => {
  if (Cause.hasInterruptsOnly(cause)) return "interrupted"
  const found = Option.getOrUndefined(Cause.findErrorOption(cause))
  const failure = Option.isOption(found) ? Option.getOrUndefined(found) : found
  if (failure === undefined) return Option.isOption(found) ? DONE : "defect"
  return (failure as { readonly code?: string }).code ?? "failed"
}

/** Maximum characters of a name in the log: the caller chose it. */
const NAME_CHARACTERS = 128

const namesOf = (payload: unknown) => {
  const { name, workspace } = (payload ?? {}) as { readonly name?: unknown; readonly workspace?: unknown }
  const text = (value: unknown) => typeof value === "string" ? value.slice(0, NAME_CHARACTERS) : undefined
  return { workspace: text(workspace), name: text(name) }
}

/**
 * Writes who asked for what, from where, and with which outcome, if the request comes over the network. Values of the payload beside names stay out.
 *
 * Needs the audit log of the daemon. Stands inside of `hold`: work that outlives its line has one entry. Outside of the checks: a refused request has one.
 */
export const audited: Wrap<RequestCall, Pick<Surroundings, "audit">> = {
  name: "audited",
  does: "writes the request of a client over the network, and its outcome, to the audit log",
  because: "inside of hold, for one entry; outside of the checks, for refused requests too",
  concerns: every,
  around: (row, call, { audit }): RequestCall => {
    if (audit === undefined) return call
    return (payload, request) => {
      const identity = identityOf(request.headers)
      if (identity === undefined) return call(payload, request)
      let outcome = DONE
      const end = (cause: Cause.Cause<unknown>) => Effect.sync(() => void (outcome = outcomeOf(cause)))
      const work = Effect.gen(function*() {
        const at = yield* nowIso
        yield* Effect.addFinalizer((exit) =>
          Effect.flatMap(nowIso, (endedAt) => {
            if (Exit.isFailure(exit) && outcome === DONE) outcome = outcomeOf(exit.cause)
            const { address, name, role, tenant, token } = identity
            return audit({
              at,
              ended_at: endedAt,
              tenant,
              token: name,
              token_id: token,
              role,
              address,
              operation: row.name,
              ...namesOf(payload),
              outcome
            })
          })
        )
        const result = yield* Effect.tapCause(call(payload, request), end)
        if (row.kind === "unary") return result
        const pull = result as PullEvents<unknown, PyroError>
        const watched: PullEvents<unknown, PyroError> = (waitMs) => Effect.tapCause(pull(waitMs), end)
        return watched
      })
      return work
    }
  }
}
