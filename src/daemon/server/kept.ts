import { Deferred, Effect, Exit, Fiber, Option, Scope } from "effect"
import type { PullEvents } from "../../contract/rows/event-batches.ts"
import { RequestForgotten } from "../../contract/wire/request-errors.ts"
import { WINDOW_EVENTS } from "../../contract/wire/rpcs.ts"

/** Maximum bytes, about, of what lost clients may have missed. */
const MOST_BYTES = 256 * 1024 * 1024

/** Work of one request. A failure with `None` is the end of its events. */
export interface Kept {
  readonly id: string
  /** Name of the operation. */
  readonly row: string
  readonly seconds: number
  readonly scope: Scope.Closeable
  /** The work, until its end. */
  fiber: Fiber.Fiber<void> | undefined
  /** Events that the client may not have, and the number of those before. */
  events: Array<unknown>
  before: number
  end: Exit.Exit<never, Option.Option<unknown>> | undefined
  changed: Deferred.Deferred<void>
  /** The newest attempt that has asked for it. Only its connection gets events. */
  attempt: number
  /** Set while no connection listens. */
  left: { readonly untilMs: number; bytes: number } | undefined
}

/** Room for all that lost clients may have missed. */
export interface Room {
  bytes: number
  /** Forgets answers, if there is too much. */
  readonly shrink: () => void
}

export const isFull = ({ bytes }: Pick<Room, "bytes">) => bytes >= MOST_BYTES

/** Bytes of a value, about. */
const sizeOf = (value: unknown): number => {
  if (value instanceof Uint8Array) return value.length
  if (typeof value === "string") return value.length
  if (typeof value !== "object" || value === null) return 8
  let bytes = 16
  for (const one of Array.isArray(value) ? value as ReadonlyArray<unknown> : Object.values(value)) bytes += sizeOf(one)
  return bytes
}

export const sizeOfAll = (events: ReadonlyArray<unknown>) => events.reduce<number>((sum, one) => sum + sizeOf(one), 0)

/** Wakes whoever waits for events, for room or for the end. */
export const changed = (kept: Kept) => {
  const waited = kept.changed
  kept.changed = Deferred.makeUnsafe()
  Deferred.doneUnsafe(waited, Effect.void)
}

/** The client has all events before this number. */
export const confirm = (kept: Kept, had: number) => {
  if (had <= kept.before) return
  kept.events.splice(0, had - kept.before)
  kept.before = had
  changed(kept)
}

/** Runs the work to its end, at most a window of events ahead of its client. Without a client it waits for room, too. */
export const run = <Event, E>(kept: Kept, room: Room, start: Effect.Effect<PullEvents<Event, E>, E, Scope.Scope>) => {
  const mayPull = () => kept.events.length < WINDOW_EVENTS && (kept.left === undefined || !isFull(room))
  const untilRoom: Effect.Effect<void> = Effect.suspend(() =>
    mayPull() ? Effect.void : Effect.andThen(Deferred.await(kept.changed), untilRoom)
  )
  const add = (events: ReadonlyArray<unknown>) => {
    kept.events.push(...events)
    if (kept.left !== undefined) {
      const bytes = sizeOfAll(events)
      kept.left.bytes += bytes
      room.bytes += bytes
    }
    changed(kept)
  }
  const all = Effect.gen(function*() {
    const pull = yield* Effect.mapError(start, Option.some)
    for (;;) {
      yield* untilRoom
      add(yield* pull())
    }
  })
  return Scope.provide(all, kept.scope).pipe(
    Effect.onExit((exit) =>
      Effect.suspend(() => {
        kept.end = exit as Exit.Exit<never, Option.Option<E>>
        kept.fiber = undefined
        changed(kept)
        room.shrink()
        return Scope.close(kept.scope, exit)
      })
    ),
    Effect.exit,
    Effect.asVoid
  )
}

/** Work with one result, as the only event. */
export const resultOf = <A, E>(
  work: Effect.Effect<A, E, Scope.Scope>
): Effect.Effect<PullEvents<A, E>, never, Scope.Scope> =>
  Effect.map(Effect.scope, (scope) => {
    let isDone = false
    const pull = Effect.mapBoth(Scope.provide(work, scope), {
      onFailure: Option.some,
      onSuccess: (result) => {
        isDone = true
        return [result]
      }
    })
    return () => Effect.suspend(() => isDone ? Effect.fail(Option.none()) : pull)
  })

/** Ends the work, if it goes on, and waits for its end. */
export const close = (kept: Kept) =>
  Effect.suspend(() => {
    const { fiber } = kept
    kept.fiber = undefined
    return Effect.andThen(
      fiber === undefined ? Effect.void : Fiber.interrupt(fiber),
      Scope.close(kept.scope, Exit.interrupt())
    )
  })

/** The events from this number on, for one of the connections that have asked. `confirmed`: its client has taken some. */
export const readFrom = (kept: Kept, attempt: number, from: number) => {
  let at = from
  let taken = from
  const pull: PullEvents<unknown, unknown> = (waitMs) =>
    Effect.suspend(() => {
      // Another connection has the request now.
      if (kept.attempt !== attempt) return Effect.fail(Option.some(new RequestForgotten()))
      const events = kept.events.slice(at - kept.before)
      if (events.length > 0) {
        at += events.length
        return Effect.succeed(events)
      }
      if (kept.end !== undefined) return kept.end
      const more = Deferred.await(kept.changed)
      return waitMs === undefined
        ? Effect.andThen(more, pull())
        : Effect.flatMap(
          Effect.timeoutOption(more, waitMs),
          Option.match({
            onNone: () => Effect.succeed([]),
            onSome: () => pull(0)
          })
        )
    })
  return {
    pull,
    confirmed: (count: number) => {
      if (kept.attempt !== attempt) return
      // A client may claim more than was sent.
      taken = Math.min(taken + Math.max(0, count), at)
      confirm(kept, taken)
    }
  } as const
}
