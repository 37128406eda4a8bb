import { Data, Effect, Exit, FiberSet, Scope, Semaphore } from "effect"
import { createServer, type Server, type Socket } from "node:net"
import { type ChannelFailed, PortInUse, PortUnavailable } from "../../../contract/errors/errors.ts"
import type { GuestChannel } from "../../../lib/guest-channel/GuestChannel.ts"
import type { AgentCallFailed } from "../../../lib/guest-channel/model/errors.ts"
import type { GuestSocket } from "../../../lib/guest-channel/model/network.ts"
import { reset } from "../../../lib/network/model/reset.ts"
import { splice } from "../../../lib/network/splice.ts"
import { PortHolders } from "../../entry/port-holders.ts"
import type { Publication } from "./table.ts"

/** The host refused a port. */
class ListenFailed extends Data.TaggedError("ListenFailed")<{
  /** Such as `EADDRINUSE` or `EACCES`. */
  readonly code: string
  readonly detail: string
}> {}

interface ListenOptions {
  /** Port of 127.0.0.1. 0: any free one. */
  readonly port: number
  /** Clients at a time. Further ones are closed at once. */
  readonly maxClients: number
  /** Serves one client, whose socket is paused and `allowHalfOpen`. Its end, also by interruption, must end the socket. */
  readonly serve: (client: Socket) => Effect.Effect<void>
}

/** Listens until the Scope closes, which also interrupts the work for every client. Gives the port. */
export const listen = ({ maxClients, port, serve }: ListenOptions): Effect.Effect<number, ListenFailed, Scope.Scope> =>
  Effect.gen(function*() {
    const run = yield* FiberSet.makeRuntime<never>()
    const server = createServer({ allowHalfOpen: true, pauseOnConnect: true, noDelay: true }, (client) => {
      // An error without a listener would end this process.
      client.on("error", () => {})
      run(serve(client))
    })
    server.maxConnections = maxClients
    yield* Effect.acquireRelease(bind(server, port), (bound) => Effect.sync(() => bound && server.close()))
    return (server.address() as { readonly port: number }).port
  })

const bind = (server: Server, port: number) =>
  Effect.callback<true, ListenFailed>((resume) => {
    const failed = (error: NodeJS.ErrnoException) =>
      resume(new ListenFailed({ code: error.code ?? "", detail: error.message }))
    server.once("error", failed).listen({ host: "127.0.0.1", port, exclusive: true }, () => {
      // A later error, such as too many open files, ends no listener.
      server.off("error", failed).on("error", () => {})
      resume(Effect.succeed(true))
    })
  })

type Channel = Pick<GuestChannel, "connectPort">

/** Bytes that wait in the daemon for the receivers of one connection. */
interface Room {
  /** From the client. */
  readonly bufferBytes: number
  /** From the guest. */
  readonly windowBytes: number
}

/** Time for the guest to accept. A server with a full backlog does not answer. */
const CONNECT_TIMEOUT = "30 seconds"

/** Connects to a port of the guest's loopback: servers listen on 127.0.0.1, on ::1, or on both. Begins with the family that answered last. */
export const loopbackPort = (port: number) => {
  let family: 4 | 6 = 4
  return (
    channel: Channel,
    windowBytes: number
  ): Effect.Effect<GuestSocket, AgentCallFailed | ChannelFailed, Scope.Scope> => {
    const other = family === 4 ? 6 : 4
    return channel.connectPort({ port, family, windowBytes }).pipe(
      Effect.catch((refused) =>
        refused._tag === "AgentCallFailed" && refused.errno === "ECONNREFUSED"
          ? channel.connectPort({ port, family: other, windowBytes }).pipe(
            Effect.tap(() => Effect.sync(() => (family = other))),
            // The refusal explains more than the failure of a guest without IPv6.
            Effect.mapError((failure) => failure._tag === "AgentCallFailed" ? refused : failure)
          )
          : Effect.fail(refused)
      )
    )
  }
}

/**
 * Serves one client of a published port until both sides have ended or one was reset. Without a guest, or with a refusal by the guest, the
 * client is reset. An interruption resets both sides.
 */
const serveClient = (
  client: Socket,
  connect: ReturnType<typeof loopbackPort>,
  channel: Effect.Effect<Channel | undefined>,
  { bufferBytes, windowBytes }: Room
): Effect.Effect<void> =>
  Effect.gen(function*() {
    const found = yield* channel
    if (found === undefined) return
    const guest = yield* Effect.timeoutOption(connect(found, windowBytes), CONNECT_TIMEOUT)
    if (guest._tag === "None") return
    yield* splice({ guest: guest.value, socket: client, bufferBytes })
  }).pipe(
    Effect.scoped,
    Effect.ignore,
    Effect.ensuring(Effect.sync(() => {
      // A client whose connection has ended both ways is destroyed already.
      if (!client.readableEnded || !client.writableFinished) reset(client)
    }))
  )

/** Connections of one port that are served at a time. */
const SERVED = 256
/** Connections of one port that wait for their turn. Further ones are closed at once. */
const WAITING = 256
/** Connections of a workspace that are served at a time: the agent has 1,024 streams, and commands need some. */
const SERVED_IN_ALL = 512

/** Buffers of the first connections of a workspace, and of the others: 512 of the first kind would take more than half a gibibyte. */
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
export type Listeners = Effect.Success<ReturnType<typeof makeListeners>>

/** Listens for clients of a workspace, and connects them by the channel of the present VM. */
export const makeListeners = (workspace: string, channel: Effect.Effect<GuestChannel | undefined>) =>
  Effect.gen(function*() {
    const scope = yield* Effect.scope
    const holders = yield* PortHolders
    const inAll = yield* Semaphore.make(SERVED_IN_ALL)
    let open = 0
    return {
      /** Number of open connections. */
      open: () => open,
      /** Listens on a port of the host, 0 for a free one, until `close` of the listener or the end of the Scope. */
      listen: (guestPort: number, hostPort: number) =>
        Effect.gen(function*() {
          const connect = loopbackPort(guestPort)
          const turns = yield* Semaphore.make(SERVED)
          const own = yield* Scope.fork(scope, "sequential")
          const port = yield* listen({
            port: hostPort,
            maxClients: SERVED + WAITING,
            serve: (client) =>
              Effect.acquireUseRelease(
                Effect.sync(() => (open += 1)),
                (count) => serveClient(client, connect, channel, count <= LARGE_ROOMS ? LARGE_ROOM : SMALL_ROOM),
                () => Effect.sync(() => (open -= 1))
                // A client that waits for its turn at this port takes no place of other ports.
              ).pipe(inAll.withPermits(1), turns.withPermits(1))
          }).pipe(
            Scope.provide(own),
            Effect.mapError(refusalOf(holders, guestPort, hostPort)),
            Effect.onError(() => Scope.close(own, Exit.void))
          )
          yield* Scope.provide(holders.register(port, workspace), own)
          return { hostPort: port, scope: own }
        }).pipe(Effect.uninterruptible),
      /** Ends the listener of a publication, if there is one, and resets its connections. */
      close: (publication: Publication) =>
        Effect.suspend(() => {
          const { listener } = publication
          publication.listener = undefined
          return listener === undefined ? Effect.void : Scope.close(listener.scope, Exit.void)
        })
    }
  })
