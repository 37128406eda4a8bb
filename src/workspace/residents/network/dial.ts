import { Deferred, Effect, Result, type Scope } from "effect"
import type { Served } from "../../../network/cache-access.ts"
import { DialRefused, type DialRequest } from "../../../network/Dialler.ts"
import type { Rules } from "../../../network/policy.ts"
import { release } from "../../../network/reset.ts"
import { settleAfterwards } from "../../../system/waits/afterwards.ts"
import { acquirePlain } from "../../../system/waits/scopes.ts"
import type { Attempt } from "./attempt.ts"
import { begin, type Begun, type Made, refusalByNumber } from "./begin.ts"
import type { Connecting } from "./connecting.ts"

/** A connection that begins, or why it does not. The end of the Scope resets both sides. */
export type Beginning = Effect.Effect<Begun, DialRefused, Scope.Scope>

const unreadable = ({ message }: Error) => new DialRefused({ reason: "failed", detail: message, option: undefined })

const askedFor = ({ name, port, request }: Attempt, { group }: Connecting, rules: Rules): DialRequest => ({
  name,
  address: request.address,
  port,
  rules,
  group
})

/** Connects on the host. */
const dial = (attempt: Attempt, connecting: Connecting): Effect.Effect<Made, DialRefused, Scope.Scope> =>
  Effect.gen(function*() {
    const { dialler, interceptionOf, rules } = connecting
    const { cache, name, port } = attempt
    const refusal = refusalByNumber(connecting)
    if (refusal !== undefined) return yield* refusal
    const judgedBy = rules()
    const served = cache === undefined ? undefined : Deferred.makeUnsafe<Served>()
    const onEnd = (got: Served) => served && settleAfterwards(served, Effect.succeed(got))
    const found = name === undefined ? undefined : yield* Effect.mapError(interceptionOf(name, port), unreadable)
    const onDenied = (detail: string) => (attempt.denial ??= detail)
    const dialled = yield* dialler.dial({
      ...askedFor(attempt, connecting, judgedBy),
      interception: found && { ...found, onDenied },
      cache: cache && { ...cache, onEnd }
    })
    return { dialled, judgedBy, isIntercepted: found !== undefined, served }
  })

/** Connects on the host, and begins. */
export const dialAndBegin = (attempt: Attempt, connecting: Connecting): Beginning =>
  Effect.flatMap(dial(attempt, connecting), (made) =>
    acquirePlain(
      Effect.suspend(() => Effect.fromResult(begin(attempt, made, connecting))),
      (begun) => begun.release()
    ))

/** Begins in this turn, with a socket that nobody owns yet. */
const beginNow = (attempt: Attempt, made: Made, connecting: Connecting): Beginning => {
  const { socket } = made.dialled
  try {
    const begun = begin(attempt, made, connecting)
    if (Result.isFailure(begun)) {
      release(socket)
      return Effect.fail(begun.failure)
    }
    return acquirePlain(Effect.succeed(begun.success), (one) => {
      one.release()
      release(socket)
    })
  } catch (defect) {
    release(socket)
    return Effect.die(defect)
  }
}

/**
 * Begins to connect on the host, without a fiber; `settle` is called once, when the guest is told. The returned function stops it.
 * `undefined` for a request that has to wait before, or that is not allowed.
 */
export const dialAndBeginNow = (
  attempt: Attempt,
  connecting: Connecting,
  settle: (beginning: Beginning) => void
): (() => void) | undefined => {
  const { dialler, rules } = connecting
  // A name may belong to a secret or to the cache, and has to be looked up.
  if (attempt.name !== undefined || refusalByNumber(connecting) !== undefined) return undefined
  const judgedBy = rules()
  return dialler.dialNow(askedFor(attempt, connecting, judgedBy), (outcome) =>
    settle(
      outcome instanceof DialRefused
        ? outcome
        : beginNow(attempt, { dialled: outcome, judgedBy, isIntercepted: false, served: undefined }, connecting)
    ))
}
