import { Cause, Deferred, Effect, Exit, Option, Scope } from "effect"
import * as RpcSchema from "effect/rpc/RpcSchema"
import type { PullEvents } from "../../contract/rows/event-batches.ts"
import type { Hold } from "../../contract/wire/hold.ts"
import { RequestForgotten } from "../../contract/wire/rpcs.ts"
import { newRequestId } from "../../system/processes/identity.ts"
import type { Holds } from "../calls/request/request.ts"
import { changed, close, confirm, type Kept, pullFrom, run } from "./kept.ts"

/** Maximum kept requests. Work beyond them ends with its connection. */
const MOST_KEPT = 4_096

/** Maximum remembered ids of requests that are not kept any more. */
const MOST_FORGOTTEN = 65_536

/** The client itself has ended the request, and has not lost its connection. */
const isEndedByClient = (exit: Exit.Exit<unknown, unknown>) =>
  Exit.isFailure(exit) &&
  exit.cause.reasons.some((reason) =>
    Cause.isInterruptReason(reason) && reason.annotations.has(RpcSchema.ClientAbort.key)
  )

/**
 * The work of requests that survive their connections (`Hold`). It runs in fibers of its own, at most a window of events ahead of its client. A
 * lost connection leaves the work and what the client has not confirmed. The work ends when its client interrupts the request or releases it, when
 * nobody asks for it in its time, and with this Scope.
 */
export const makeHolds = Effect.gen(function*() {
  const parent = yield* Effect.scope
  const daemonId = newRequestId()
  const known = new Map<string, Kept>()
  const forgotten = new Set<string>()

  const forget = (id: string) => {
    known.delete(id)
    forgotten.add(id)
    if (forgotten.size > MOST_FORGOTTEN) forgotten.delete(forgotten.values().next().value!)
  }

  /** Ends the work, if it goes on, and forgets it. */
  const end = (kept: Kept) =>
    Effect.uninterruptible(Effect.suspend(() => {
      if (known.get(kept.id) === kept) forget(kept.id)
      return close(kept)
    }))

  /** Nobody listens any more. */
  const left = (kept: Kept, asker: number) =>
    Effect.suspend(() =>
      kept.askers !== asker ? Effect.void : known.get(kept.id) !== kept ? close(kept) : Effect.forkIn(
        Effect.delay(Effect.suspend(() => kept.askers === asker ? end(kept) : Effect.void), kept.seconds * 1000),
        parent
      )
    )

  /** Room for another kept request: the oldest one that has ended, and that only waits for its release, goes. */
  const hasRoom = () => {
    if (known.size < MOST_KEPT) return true
    for (const kept of known.values()) {
      if (kept.end !== undefined) {
        forget(kept.id)
        return true
      }
    }
    return false
  }

  const begin = <Event, E>(hold: Hold, start: Effect.Effect<PullEvents<Event, E>, E, Scope.Scope>) =>
    Effect.gen(function*() {
      const kept: Kept = {
        id: hold.id,
        seconds: hold.seconds,
        scope: yield* Scope.fork(parent),
        fiber: undefined,
        events: [],
        before: 0,
        end: undefined,
        changed: Deferred.makeUnsafe(),
        askers: 0
      }
      if (hasRoom()) known.set(hold.id, kept)
      else forget(hold.id)
      kept.fiber = yield* Effect.forkIn(run(kept, start), parent)
      return kept
    })

  /** What an earlier connection began, or new work if the request never came. */
  const findOrBegin = <Event, E>(hold: Hold, start: Effect.Effect<PullEvents<Event, E>, E, Scope.Scope>) =>
    Effect.suspend((): Effect.Effect<Kept, RequestForgotten> => {
      const kept = known.get(hold.id)
      if (kept !== undefined) return Effect.succeed(kept)
      const isOfAnother = hold.again !== undefined && hold.again !== daemonId
      return isOfAnother || forgotten.has(hold.id) ? Effect.fail(new RequestForgotten()) : begin(hold, start)
    })

  const events: Holds["events"] = <Event, E>(
    hold: Hold,
    start: Effect.Effect<PullEvents<Event, E>, E, Scope.Scope>,
    onCredit: Parameters<Holds["events"]>[2]
  ) =>
    Effect.uninterruptible(Effect.gen(function*() {
      const kept = yield* findOrBegin(hold, start)
      const from = hold.had ?? 0
      if (from < kept.before || from > kept.before + kept.events.length) return yield* new RequestForgotten()
      const asker = ++kept.askers
      changed(kept)
      yield* Effect.addFinalizer((exit) => isEndedByClient(exit) ? end(kept) : left(kept, asker))
      let taken = from
      confirm(kept, taken)
      onCredit?.((count) => {
        if (kept.askers !== asker) return
        taken = Math.min(taken + count, kept.before + kept.events.length)
        confirm(kept, taken)
      })
      return pullFrom(kept, asker, from) as PullEvents<Event, E | RequestForgotten>
    }))

  const ask: Holds["ask"] = <A, E>(hold: Hold, work: Effect.Effect<A, E, Scope.Scope>) => {
    let isDone = false
    const start: Effect.Effect<PullEvents<A, E>, never, Scope.Scope> = Effect.map(
      Effect.scope,
      (scope) => () =>
        Effect.suspend(() => {
          if (isDone) return Effect.fail(Option.none())
          return Effect.mapBoth(Scope.provide(work, scope), {
            onFailure: Option.some,
            onSuccess: (result) => {
              isDone = true
              return [result]
            }
          })
        })
    )
    return Effect.flatMap(events(hold, start, undefined), (pull) =>
      Effect.matchEffect(pull(), {
        onFailure: (failure) =>
          Option.match(failure, { onNone: () => Effect.fail(new RequestForgotten()), onSome: Effect.fail }),
        onSuccess: ([result]) => Effect.succeed(result as A)
      }))
  }

  return {
    daemonId,
    ask,
    events,
    /** The client needs a request no more. */
    release: (id: string) =>
      Effect.suspend(() => {
        const kept = known.get(id)
        return kept === undefined ? Effect.void : end(kept)
      })
  } as const
})
