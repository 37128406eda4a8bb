import * as NodeSocketServer from "@effect/platform-node/NodeSocketServer"
import { SocketServer } from "@effect/platform/SocketServer"
import { Effect, Layer, Schedule } from "effect"
import { DaemonLeaves } from "../contract/daemon-leaves.ts"
import { acquirePlain } from "../system/scopes.ts"
import { clockReader } from "../system/time.ts"
import { makeIdleCollection } from "./idle-collection.ts"

/** How long a daemon that takes nothing on any more stays for clients that may not know yet, in ms. */
const LINGER_MS = 1000
/** In this time Node has taken every connection that was made before the socket's name went, in ms. */
const ACCEPT_MS = 20

/** Who is there and what they asked for: known at any moment without waiting, so that a daemon leaves between requests, not in one. */
export const makeAttendance = Effect.map(clockReader, (clock) => {
  const garbage = makeIdleCollection(clock)
  const state = { requests: 0, connections: 0, usedAtMs: clock.monotonicMs(), closed: false }

  const arrives = () => {
    garbage.busy()
    state.requests++
    state.usedAtMs = clock.monotonicMs()
  }
  const goes = () => {
    state.usedAtMs = clock.monotonicMs()
    if (--state.requests === 0) garbage.idle()
  }

  /** A request that looks at the daemon and does not keep it; fails with DaemonLeaves from `close` on. */
  const glance = Effect.suspend(() => state.closed ? Effect.fail(new DaemonLeaves()) : Effect.void)

  /** One request, for the length of a Scope; fails in the same way. */
  const request = acquirePlain(Effect.zipRight(glance, Effect.sync(arrives)), goes)

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
                Effect.sync(() => void state.connections++),
                () => handler(socket),
                () => Effect.sync(() => void state.connections--)
              )
            )
        }))
    ).pipe(Layer.provide(NodeSocketServer.layer({ path })))

  /** Waits until everybody who is still connected has been told, or could have been. */
  const lastLeft = Effect.sync(() => state.connections).pipe(
    Effect.repeat({ while: (count) => count > 0, schedule: Schedule.spaced("5 millis") }),
    Effect.timeoutOption(LINGER_MS),
    Effect.delay(ACCEPT_MS),
    Effect.asVoid
  )

  return {
    glance,
    request,
    listen,
    lastLeft,
    /** When something was last asked for or done, in ms of the monotonic clock; undefined while something is. */
    unusedSinceMs: () => state.requests > 0 ? undefined : state.usedAtMs,
    /** From now on requests are refused before anything of them is done. */
    close: () => void (state.closed = true)
  } as const
})
export type Attendance = Effect.Effect.Success<typeof makeAttendance>
