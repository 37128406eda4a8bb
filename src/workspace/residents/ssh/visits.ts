import { Clock, Effect, FiberSet } from "effect"
import type { NewEvent } from "../../entry/events.ts"

/** Time without a connection after which a visit has ended, in ms. A script's next connection, and an editor's, come sooner. */
const PAUSE_MS = 60_000

interface Visit {
  open: number
  connections: number
  sessions: number
  sentBytes: number
  /** When the last connection ended, in ms. */
  leftAt: number
}

/** Maximum number of connections whose start is remembered: far more than there are points. */
const MOST_BEGINS = 256

/** Start of a connection, which no journal of commands has. */
export interface SshBegin {
  readonly user: string
  /** ISO 8601. */
  readonly at: string
}

/** A connection of a visit. */
export interface VisitConnection {
  /** It has started a program. */
  readonly session: Effect.Effect<void>
  readonly ended: (sentBytes: number) => Effect.Effect<void>
}

/**
 * Events of the connections of one workspace, by visits: connections of one user with at most a minute between them. So the many connections of an
 * editor and of a script are two events: the first login, at once, and their counts a minute after the last connection. The end of the Scope ends all visits.
 */
export const makeVisits = (record: (event: NewEvent) => Effect.Effect<void>) =>
  Effect.gen(function*() {
    const visits = new Map<string, Visit>()
    const knowsFromMs = yield* Clock.currentTimeMillis
    let begins: ReadonlyArray<SshBegin> = []
    let leftAtMs = -Infinity
    const finish = (user: string, visit: Visit) =>
      Effect.suspend(() => {
        if (visits.get(user) !== visit) return Effect.void
        visits.delete(user)
        const { connections, sentBytes, sessions } = visit
        return record({ _tag: "ssh_closed", user, connections, sessions, sentBytes })
      })
    yield* Effect.addFinalizer(() =>
      Effect.forEach([...visits], ([user, visit]) => finish(user, visit), { discard: true })
    )
    // Registered after the finalizer, so that the timers end before the visits.
    const run = yield* FiberSet.makeRuntime<never, void, never>()
    const finishLater = (user: string, visit: Visit): Effect.Effect<void> =>
      Effect.gen(function*() {
        yield* Effect.sleep(PAUSE_MS)
        const unusedMs = (yield* Clock.currentTimeMillis) - visit.leftAt
        if (visit.open === 0 && unusedMs >= PAUSE_MS) yield* finish(user, visit)
      })

    /** A client has logged in. */
    const opened = (user: string): Effect.Effect<VisitConnection> =>
      Effect.gen(function*() {
        const begunMs = yield* Clock.currentTimeMillis
        begins = [...begins, { user, at: new Date(begunMs).toISOString() }].slice(-MOST_BEGINS)
        const known = visits.get(user)
        const visit = known ?? { open: 0, connections: 0, sessions: 0, sentBytes: 0, leftAt: 0 }
        visit.open++
        visit.connections++
        if (known === undefined) {
          visits.set(user, visit)
          yield* record({ _tag: "ssh_opened", user })
        }
        return {
          session: Effect.sync(() => void visit.sessions++),
          ended: (sentBytes) =>
            Effect.map(Clock.currentTimeMillis, (now) => {
              visit.open--
              visit.sentBytes += sentBytes
              visit.leftAt = now
              leftAtMs = now
              if (visit.open === 0) run(finishLater(user, visit))
            })
        }
      })
    return {
      opened,
      /** Starts of the connections that this process has served, oldest first. The event log has one event for all connections of a visit. */
      begins: () => begins,
      /** Time since which all connections are known, in ms since 1970. */
      knowsFromMs,
      /** Whether one of these connections was open at a time, in ms since 1970, or later. */
      usedSince: (ms: number) => leftAtMs >= ms || [...visits.values()].some(({ open }) => open > 0)
    }
  })
