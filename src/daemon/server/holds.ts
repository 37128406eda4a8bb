import { Cause, Deferred, Effect, Exit, Option, Scope } from "effect"
import * as RpcSchema from "effect/rpc/RpcSchema"
import { InvalidRequest } from "../../contract/errors/errors.ts"
import type { PullEvents } from "../../contract/rows/event-batches.ts"
import { type Hold, HOLD_HEADER } from "../../contract/wire/hold.ts"
import { RequestForgotten } from "../../contract/wire/request-errors.ts"
import { newRequestId } from "../../system/processes/identity.ts"
import { clockReader } from "../../system/waits/time.ts"
import type { Holds } from "../calls/request/request.ts"
import { changed, close, confirm, isFull, type Kept, readFrom, resultOf, type Room, run, sizeOfAll } from "./kept.ts"

/** Maximum kept requests. Work beyond them ends with its connection. */
const MOST_KEPT = 4_096

/** Maximum remembered ids of requests that their clients have released. One that comes late, from a line that was silent, is not begun. */
const MOST_RELEASED = 16_384

/** Maximum remembered ids of requests whose time was over: their clients may still come. */
const MOST_EXPIRED = 4_096

/** How often work is looked for whose time is over, in ms. */
const LOOK_MS = 500

/** The client itself has ended the request, and has not lost its connection. */
const isEndedByClient = (exit: Exit.Exit<unknown, unknown>) =>
  Exit.isFailure(exit) &&
  exit.cause.reasons.some((reason) =>
    Cause.isInterruptReason(reason) && reason.annotations.has(RpcSchema.ClientAbort.key)
  )

/** The kept requests, and the ids of those that are kept no more. */
const makeMemory = () => {
  let daemonId = newRequestId()
  const known = new Map<string, Kept>()
  /** Requests without a connection, the one that was left first before the others. */
  const left = new Map<string, Kept>()
  const room: Room = {
    bytes: 0,
    shrink: () => {
      while (isFull(room) && forgetAnswer());
    }
  }
  const released = new Set<string>()
  const expired = new Set<string>()

  const expire = (id: string) => {
    expired.add(id)
    if (expired.size < MOST_EXPIRED) return
    // The daemon is another one for all requests of before: none of them is begun a second time.
    expired.clear()
    daemonId = newRequestId()
  }
  const release = (id: string) => {
    released.add(id)
    if (released.size > MOST_RELEASED) released.delete(released.values().next().value!)
  }
  /** A connection listens, or the request is kept no more. */
  const unleave = (kept: Kept) => {
    if (kept.left === undefined) return
    room.bytes -= kept.left.bytes
    kept.left = undefined
    left.delete(kept.id)
  }
  const forget = (kept: Kept, remember: (id: string) => void) => {
    unleave(kept)
    if (known.get(kept.id) !== kept) return
    known.delete(kept.id)
    remember(kept.id)
  }
  /** Forgets the oldest answer that no connection waits for. False if there is none. */
  const forgetAnswer = () => {
    for (const kept of left.values()) {
      if (kept.end === undefined) continue
      forget(kept, expire)
      return true
    }
    return false
  }
  return {
    known,
    left,
    room,
    expire,
    release,
    unleave,
    forget,
    daemonId: () => daemonId,
    isForgotten: (id: string) => released.has(id) || expired.has(id),
    /** Keeps a new request, if there is room. */
    add: (kept: Kept) => {
      if (known.size < MOST_KEPT || forgetAnswer()) known.set(kept.id, kept)
      else expire(kept.id)
    },
    /** No connection listens any more. False if there is no room for what the client may have missed. */
    leave: (kept: Kept, nowMs: number) => {
      const bytes = sizeOfAll(kept.events)
      kept.left = { untilMs: nowMs + kept.seconds * 1000, bytes }
      room.bytes += bytes
      left.set(kept.id, kept)
      room.shrink()
      return !isFull(room) && known.get(kept.id) === kept
    }
  } as const
}

/**
 * The work of requests that survive their connections (`Hold`). It runs in fibers of its own, at most a window of events ahead of its client. A
 * lost connection leaves the work and what the client has not confirmed. The work ends when its client interrupts the request or releases it, when
 * nobody asks for it in its time, and with this Scope.
 */
export const makeHolds = Effect.gen(function*() {
  const parent = yield* Effect.scope
  const { monotonicMs } = yield* clockReader
  const memory = makeMemory()

  /** Ends the work, if it goes on, and forgets it. */
  const end = (kept: Kept, remember: (id: string) => void) =>
    Effect.uninterruptible(Effect.suspend(() => {
      memory.forget(kept, remember)
      return close(kept)
    }))

  let isLooking = false
  const look: Effect.Effect<void> = Effect.suspend(() => {
    const now = monotonicMs()
    const over = [...memory.left.values()].filter(({ left }) => left !== undefined && left.untilMs <= now)
    // Work may need a time for its end.
    return Effect.forEach(over, (kept) => Effect.forkIn(end(kept, memory.expire), parent), { discard: true })
  }).pipe(
    Effect.delay(LOOK_MS),
    Effect.andThen(Effect.suspend(() => {
      if (memory.left.size > 0) return look
      isLooking = false
      return Effect.void
    }))
  )

  /** Nobody listens any more. */
  const leave = (kept: Kept, attempt: number) =>
    Effect.suspend(() => {
      if (kept.attempt !== attempt) return Effect.void
      if (memory.known.get(kept.id) !== kept) return close(kept)
      if (!memory.leave(kept, monotonicMs())) return end(kept, memory.expire)
      if (isLooking) return Effect.void
      isLooking = true
      return Effect.asVoid(Effect.forkIn(look, parent))
    })

  const begin = <Event, E>(row: string, hold: Hold, start: Effect.Effect<PullEvents<Event, E>, E, Scope.Scope>) =>
    Effect.gen(function*() {
      const kept: Kept = {
        id: hold.id,
        row,
        seconds: hold.seconds,
        scope: yield* Scope.fork(parent),
        fiber: undefined,
        events: [],
        before: 0,
        end: undefined,
        changed: Deferred.makeUnsafe(),
        attempt: -1,
        left: undefined
      }
      memory.add(kept)
      kept.fiber = yield* Effect.forkIn(run(kept, memory.room, start), parent)
      return kept
    })

  /** What an earlier connection began, or new work if the request never came. */
  const findOrBegin = <Event, E>(
    row: string,
    hold: Hold,
    attempt: number,
    start: Effect.Effect<PullEvents<Event, E>, E, Scope.Scope>
  ) =>
    Effect.suspend((): Effect.Effect<Kept, RequestForgotten | InvalidRequest> => {
      const { again, had = 0, id } = hold
      const kept = memory.known.get(id)
      if (kept === undefined) {
        const isOfAnother = again !== undefined && again !== memory.daemonId()
        return isOfAnother || had > 0 || memory.isForgotten(id)
          ? Effect.fail(new RequestForgotten())
          : begin(row, hold, start)
      }
      if (kept.row !== row) {
        return new InvalidRequest({ field: HOLD_HEADER, detail: `${id} is the id of a request for ${kept.row}` })
      }
      const isKept = had >= kept.before && had <= kept.before + kept.events.length
      return attempt <= kept.attempt || !isKept ? Effect.fail(new RequestForgotten()) : Effect.succeed(kept)
    })

  const events: Holds["events"] = <Event, E>(
    row: string,
    hold: Hold,
    start: Effect.Effect<PullEvents<Event, E>, E, Scope.Scope>,
    onCredit: Parameters<Holds["events"]>[3]
  ) =>
    Effect.uninterruptible(Effect.gen(function*() {
      const attempt = hold.attempt ?? 0
      const kept = yield* findOrBegin(row, hold, attempt, start)
      kept.attempt = attempt
      memory.unleave(kept)
      changed(kept)
      yield* Effect.addFinalizer((exit) =>
        isEndedByClient(exit) && kept.attempt === attempt ? end(kept, memory.release) : leave(kept, attempt)
      )
      confirm(kept, hold.had ?? 0)
      const { confirmed, pull } = readFrom(kept, attempt, kept.before)
      onCredit?.(confirmed)
      return pull as PullEvents<Event, E | RequestForgotten>
    }))

  const ask: Holds["ask"] = (row, hold, work) =>
    Effect.flatMap(events(row, hold, resultOf(work), undefined), (pull) =>
      Effect.matchEffect(pull(), {
        onFailure: Option.match({ onNone: () => Effect.fail(new RequestForgotten()), onSome: Effect.fail }),
        onSuccess: ([result]) => Effect.succeed(result!)
      }))

  return {
    daemonId: memory.daemonId,
    ask,
    events,
    /** The client needs a request no more, also one that comes later: a line may be silent for a while. */
    release: (id: string) =>
      Effect.suspend(() => {
        const kept = memory.known.get(id)
        return kept === undefined ? Effect.sync(() => memory.release(id)) : end(kept, memory.release)
      })
  } as const
})
