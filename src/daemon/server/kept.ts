import { Deferred, Effect, Exit, Fiber, Option, Scope } from "effect"
import type { PullEvents } from "../../contract/rows/event-batches.ts"
import { RequestForgotten, WINDOW_EVENTS } from "../../contract/wire/rpcs.ts"

/** Work of one request. A failure with `None` is the end of its events. */
export interface Kept {
  readonly id: string
  readonly seconds: number
  readonly scope: Scope.Closeable
  /** The work, until its end. */
  fiber: Fiber.Fiber<void> | undefined
  /** Events that the client may not have, and the number of those before. */
  events: Array<unknown>
  before: number
  end: Exit.Exit<never, Option.Option<unknown>> | undefined
  changed: Deferred.Deferred<void>
  /** Number of connections that have asked for it. Only the last one gets events. */
  askers: number
}

/** Wakes whoever waits for events, for room or for the end. */
export const changed = (kept: Kept) => {
  const waited = kept.changed
  kept.changed = Deferred.makeUnsafe()
  Deferred.doneUnsafe(waited, Effect.void)
}

/** The client has all events before this number. */
export const confirm = (kept: Kept, had: number) => {
  kept.events.splice(0, had - kept.before)
  kept.before = Math.max(kept.before, had)
  changed(kept)
}

/** Runs the work to its end, at most a window of events ahead of its client. */
export const run = <Event, E>(kept: Kept, start: Effect.Effect<PullEvents<Event, E>, E, Scope.Scope>) => {
  const untilRoom: Effect.Effect<void> = Effect.suspend(() =>
    kept.events.length < WINDOW_EVENTS ? Effect.void : Effect.andThen(Deferred.await(kept.changed), untilRoom)
  )
  const all = Effect.gen(function*() {
    const pull = yield* Effect.mapError(start, Option.some)
    for (;;) {
      yield* untilRoom
      kept.events.push(...yield* pull())
      changed(kept)
    }
  })
  return Scope.provide(all, kept.scope).pipe(
    Effect.onExit((exit) =>
      Effect.suspend(() => {
        kept.end = exit as Exit.Exit<never, Option.Option<E>>
        kept.fiber = undefined
        changed(kept)
        return Scope.close(kept.scope, exit)
      })
    ),
    Effect.exit,
    Effect.asVoid
  )
}

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

/** The events from this number on, for one of the connections that have asked. */
export const pullFrom = (kept: Kept, asker: number, from: number): PullEvents<unknown, unknown> => {
  let at = from
  const pull: PullEvents<unknown, unknown> = (waitMs) =>
    Effect.suspend(() => {
      // Another connection has the request now.
      if (kept.askers !== asker) return Effect.fail(Option.some(new RequestForgotten()))
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
  return pull
}
