import { Effect, Exit, Scope, Semaphore } from "effect"
import { PortInUse, PortUnavailable } from "../../../contract/errors/errors.ts"
import type { GuestChannel } from "../../../guest-channel/GuestChannel.ts"
import { PortHolders } from "../../entry/port-holders.ts"
import { LoopbackPort, type Room, serveClient } from "./connection.ts"
import { listen, type ListenFailed } from "./listen.ts"
import type { Publication } from "./publication.ts"

/** Connections of one port that are served at a time. */
const SERVED = 256
/** Connections of one port that wait for their turn. Further ones are closed at once. */
const WAITING = 256
/** Connections of a workspace that are served at a time: the agent has 1,024 streams, and commands need some. */
const SERVED_IN_ALL = 512

/** Room of the first connections of a workspace, and of the others: 512 of the first kind would take more than half a gibibyte. */
const LARGE_ROOM: Room = { bufferBytes: 262_144, windowBytes: 1_048_576 }
const LARGE_ROOMS = 32
const SMALL_ROOM: Room = { bufferBytes: 32_768, windowBytes: 65_536 }

const refusalOf =
  ({ holderOf }: PortHolders["Service"], guestPort: number, hostPort: number) => ({ code, detail }: ListenFailed) => {
    if (code !== "EADDRINUSE") return new PortUnavailable({ hostPort, guestPort, detail })
    const workspace = holderOf(hostPort)
    return new PortInUse({ hostPort, guestPort, ...(workspace === undefined ? {} : { workspace }) })
  }

/** The listeners of one workspace. */
export interface Listeners {
  /** Listens on a port of the host, 0 for a free one, until `close` of the listener or the end of the Scope. */
  readonly listen: (
    guestPort: number,
    hostPort: number
  ) => Effect.Effect<NonNullable<Publication["listener"]>, PortInUse | PortUnavailable>
  /** Ends the listener of a publication, if there is one, and resets its connections. */
  readonly close: (publication: Publication) => Effect.Effect<void>
  /** Number of open connections. */
  readonly open: () => number
}

/** Listens for clients of a workspace, and connects them by the channel of the present VM. */
export const makeListeners = (
  workspace: string,
  channel: () => GuestChannel | undefined
): Effect.Effect<Listeners, never, PortHolders | Scope.Scope> =>
  Effect.gen(function*() {
    const scope = yield* Effect.scope
    const holders = yield* PortHolders
    const inAll = yield* Semaphore.make(SERVED_IN_ALL)
    let open = 0
    return {
      open: () => open,
      listen: (guestPort, hostPort) =>
        Effect.gen(function*() {
          const target = new LoopbackPort(guestPort)
          const turns = yield* Semaphore.make(SERVED)
          const own = yield* Scope.fork(scope, "sequential")
          const port = yield* listen({
            port: hostPort,
            maxClients: SERVED + WAITING,
            serve: (client) =>
              Effect.acquireUseRelease(
                Effect.sync(() => (open += 1)),
                (count) => serveClient(client, target, channel, count <= LARGE_ROOMS ? LARGE_ROOM : SMALL_ROOM),
                () => Effect.sync(() => (open -= 1))
                // A client that waits for its turn at this port takes no place of other ports.
              ).pipe(inAll.withPermits(1), turns.withPermits(1))
          }).pipe(
            Scope.provide(own),
            Effect.mapError(refusalOf(holders, guestPort, hostPort)),
            Effect.onError(() => Scope.close(own, Exit.void))
          )
          yield* Scope.provide(holders.hold(port, workspace), own)
          return { hostPort: port, scope: own }
        }).pipe(Effect.uninterruptible),
      close: (publication) =>
        Effect.suspend(() => {
          const { listener } = publication
          publication.listener = undefined
          return listener === undefined ? Effect.void : Scope.close(listener.scope, Exit.void)
        })
    }
  })
