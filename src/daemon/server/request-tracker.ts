import { NetSocket } from "@effect/platform-node/NodeSocket"
import * as NodeSocketServer from "@effect/platform-node/NodeSocketServer"
import { Effect, Layer, Option, Schedule } from "effect"
import { SocketServer } from "effect/socket/SocketServer"
import { DaemonLeaves } from "../../contract/wire/request-errors.ts"
import { collectGarbage } from "../../system/processes/collector.ts"
import { withoutFailedWrites, withoutLateWrites } from "../../system/processes/unix-socket.ts"
import { acquirePlain, yieldToEventLoop } from "../../system/waits/effects.ts"
import { type ClockReader, clockReader } from "../../system/waits/time.ts"

/** Time without a request before a collection, in ms: an agent that thinks between two requests causes none. */
const IDLE_MS = 10_000
/** Minimum time between two collections, in ms, for a person who thinks between two commands. */
const AT_MOST_EVERY_MS = 20_000
/** Growth of the heap since the last collection that is worth a collection, in bytes. */
const WORTH_BYTES = 6 * 1024 * 1024

/**
 * Collects all garbage after a time without requests, in some 30 ms. V8 by itself waits until the heap has doubled: a daemon that was busy
 * would keep the heap for hours.
 *
 * The timer is Node's and not a fiber's: every request stops and restarts the timer in the synchronous part of its count, where a fiber
 * would cost an interruption each time. The timer touches the heap alone and does not keep the process.
 */
export const makeIdleCollection = ({ monotonicMs }: ClockReader) => {
  let timer: NodeJS.Timeout | undefined
  let collectedAtMs = -Infinity
  let keptBytes = process.memoryUsage().heapUsed
  const collect = () => {
    const waitMs = collectedAtMs + AT_MOST_EVERY_MS - monotonicMs()
    if (waitMs > 0) return schedule(waitMs)
    if (process.memoryUsage().heapUsed - keptBytes < WORTH_BYTES) return
    collectGarbage()
    collectedAtMs = monotonicMs()
    keptBytes = process.memoryUsage().heapUsed
  }
  const schedule = (ms: number) => {
    timer = setTimeout(collect, ms).unref()
  }
  return {
    /** Stops the timer: a request begins. */
    busy: () => clearTimeout(timer),
    /** Restarts the timer: the last request has ended. */
    idle: () => {
      clearTimeout(timer)
      schedule(IDLE_MS)
    }
  }
}

/** Maximum time that a closed daemon stays for clients that are still connected, in ms. */
const LINGER_MS = 1000
/** Iterations of the event loop without a new connection, after which none waits: Node accepts one in each, and counts it in the next. */
const QUIET_TURNS = 3

/** Counts connections, so that a daemon leaves no client that has connected without an answer. */
const connections = () => {
  const count = { open: 0, accepted: 0 }

  /** A server at a path, whose connections are counted. */
  const listen = (path: string) =>
    Layer.effect(
      SocketServer,
      Effect.map(SocketServer, (server) =>
        SocketServer.of({
          ...server,
          run: (handler) =>
            server.run((socket) =>
              Effect.acquireUseRelease(
                Effect.sync(() => {
                  count.open++
                  count.accepted++
                }),
                // The end of a connection is never a fault of this process.
                () =>
                  Effect.flatMap(Effect.serviceOption(NetSocket), (found) => {
                    const connection = Option.getOrUndefined(found)
                    const timely = withoutLateWrites(socket, () => connection?.destroyed === true)
                    return handler(withoutFailedWrites(timely, () => void connection?.destroy()))
                  }).pipe(Effect.ignoreCause),
                () => Effect.sync(() => void count.open--)
              )
            )
        }))
    ).pipe(Layer.provide(NodeSocketServer.layer({ path })))

  /** Accepts what connected before the unlink of the socket. A count of turns, because a busy host may give no processor for any time. */
  const acceptAll = Effect.gen(function*() {
    for (let quiet = 0; quiet < QUIET_TURNS;) {
      const before = count.accepted
      yield* yieldToEventLoop
      quiet = count.accepted === before ? quiet + 1 : 0
    }
  })

  /** Waits until every client is gone, for `LINGER_MS` at most. */
  const awaitClients = Effect.sync(() => count.open).pipe(
    Effect.repeat({ while: (open) => open > 0, schedule: Schedule.spaced("5 millis") }),
    Effect.timeoutOption(LINGER_MS),
    (gone) => Effect.andThen(acceptAll, gone),
    Effect.asVoid
  )

  return { listen, awaitClients }
}

/** Counts requests and connections. The counts are read without a wait, so that a daemon leaves between two requests, not during one. */
export const makeRequestTracker = Effect.map(clockReader, (clock) => {
  const garbage = makeIdleCollection(clock)
  const state = {
    requests: 0,
    readers: 0,
    usedAtMs: clock.monotonicMs(),
    wasAsked: false,
    closed: false
  }

  const begin = () => {
    garbage.busy()
    state.wasAsked = true
    state.requests++
    state.usedAtMs = clock.monotonicMs()
  }
  const end = () => {
    state.usedAtMs = clock.monotonicMs()
    if (--state.requests === 0) garbage.idle()
  }

  /** Fails with DaemonLeaves after `close`. For a request that only observes, and does not keep the daemon. */
  const refuseWhenClosed = Effect.suspend(() => state.closed ? Effect.fail(new DaemonLeaves()) : Effect.void)

  /** Counts one request until the Scope closes. Fails with DaemonLeaves after `close`. */
  const track = acquirePlain(Effect.andThen(refuseWhenClosed, Effect.sync(begin)), end)

  /**
   * Counts one request of a page that changes nothing, until the Scope closes. The daemon stays for it, unless a client of another version
   * asks the daemon to leave: a page connects again.
   */
  const trackReader = acquirePlain(
    Effect.andThen(
      refuseWhenClosed,
      Effect.sync(() => {
        state.wasAsked = true
        state.readers++
      })
    ),
    () => {
      state.readers--
      state.usedAtMs = clock.monotonicMs()
    }
  )

  return {
    refuseWhenClosed,
    track,
    trackReader,
    ...connections(),
    /** Whether a request has ever come. */
    wasAsked: () => state.wasAsked,
    /** End of the last request, in ms of the monotonic clock; undefined while a request runs. */
    idleSinceMs: () => state.requests > 0 ? undefined : state.usedAtMs,
    /** Whether a page waits for the answer to a request that changes nothing. */
    hasReaders: () => state.readers > 0,
    /** Refuses every later request before it has any effect. */
    close: () => void (state.closed = true)
  } as const
})
export type RequestTracker = Effect.Success<typeof makeRequestTracker>
