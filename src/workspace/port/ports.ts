import { Effect, ExecutionStrategy, Exit, Scope } from "effect"
import * as path from "node:path"
import {
  type NoSpace,
  PortAlreadyPublished,
  PortInUse,
  PortNotPublished,
  PortUnavailable,
  type PublishingNotAllowed,
  type StateDirectoryUnusable
} from "../../contract/errors.ts"
import type { AskedPort, PublishedPort } from "../../contract/operations/port-fields.ts"
import type { GuestChannel } from "../../guest-channel/GuestChannel.ts"
import { listen, type ListenFailed } from "../../network/listen.ts"
import { recordEvent } from "../events.ts"
import type { Network } from "../network/network.ts"
import type { ResidentVm } from "../residents/Resident.ts"
import { demandAllowed } from "./allowed.ts"
import { LoopbackPort, type Room, serveClient } from "./connection.ts"
import { holderOf, holdPort } from "./holders.ts"
import { type PortState, readPorts, type StoredPort, writePorts } from "./state.ts"

type HostFailure = NoSpace | StateDirectoryUnusable

export interface PublishRequest extends AskedPort {
  /** Service that the port belongs to. @default none */
  readonly service?: string
}

/** The published ports of one workspace: their listeners on the host, while the workspace has a VM. */
export interface Ports {
  /**
   * Listens from now on, also before the guest's server does: clients are then reset. A port that is published in the same way already
   * stays. A model needs the permission of its server and of the workspace's policy.
   */
  readonly publish: (
    request: PublishRequest
  ) => Effect.Effect<
    PublishedPort,
    PortInUse | PortUnavailable | PortAlreadyPublished | PublishingNotAllowed | HostFailure
  >
  /** Ends a listener and resets its connections. */
  readonly unpublish: (guestPort: number) => Effect.Effect<PublishedPort, PortNotPublished | HostFailure>
  /** Ends the listeners of a service, if there are any. */
  readonly unpublishService: (service: string) => Effect.Effect<void, HostFailure>
  /** By guest port. */
  readonly list: () => ReadonlyArray<PublishedPort>
  /** Number of open connections. */
  readonly open: () => number
  /** Listens for all ports in a VM that the workspace has now. */
  readonly begin: (vm: ResidentVm) => Effect.Effect<void>
  /** Ends all listeners: the VM has ended. The ports of services are forgotten, the others come back with the next VM. */
  readonly lose: Effect.Effect<void>
  readonly noted: () => PortState
  /** Takes over noted ports. Those of another workspace get other ports of the host. */
  readonly inherit: (noted: PortState) => Effect.Effect<void, HostFailure>
  readonly clear: Effect.Effect<void, HostFailure>
}

/** One published port. */
interface Publication {
  stored: StoredPort
  /** The listener, while the workspace has a VM. */
  listener: { readonly hostPort: number; readonly scope: Scope.CloseableScope } | undefined
}

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

const infoOf = ({ listener, stored: { guestPort, service } }: Publication): PublishedPort => ({
  guestPort,
  ...(listener === undefined ? {} : { hostPort: listener.hostPort }),
  ...(service === undefined ? {} : { service })
})

const refusalOf = (guestPort: number, hostPort: number) => ({ code, detail }: ListenFailed) => {
  if (code !== "EADDRINUSE") return new PortUnavailable({ hostPort, guestPort, detail })
  const workspace = holderOf(hostPort)
  return new PortInUse({ hostPort, guestPort, ...(workspace === undefined ? {} : { workspace }) })
}

/** Opens the published ports of the workspace in `directory`. Their listeners close with the Scope. */
export const openPorts = (
  directory: string,
  network: Pick<Network, "info">
): Effect.Effect<Ports, HostFailure, Scope.Scope> =>
  Effect.gen(function*() {
    const workspace = path.basename(directory)
    const scope = yield* Effect.scope
    const published = new Map<number, Publication>()
    for (const stored of yield* readPorts(directory)) {
      published.set(stored.guestPort, { stored, listener: undefined })
    }
    const one = yield* Effect.makeSemaphore(1)
    const inAll = yield* Effect.makeSemaphore(SERVED_IN_ALL)
    let channel: GuestChannel | undefined
    let open = 0

    const inOrder = () => [...published.values()].toSorted((a, b) => a.stored.guestPort - b.stored.guestPort)
    const write = Effect.suspend(() => writePorts(directory, inOrder().map(({ stored }) => stored)))

    const listenFor = (guestPort: number, hostPort: number) =>
      Effect.gen(function*() {
        const target = new LoopbackPort(guestPort)
        const turns = yield* Effect.makeSemaphore(SERVED)
        const own = yield* Scope.fork(scope, ExecutionStrategy.sequential)
        const port = yield* listen({
          port: hostPort,
          maxClients: SERVED + WAITING,
          serve: (client) =>
            Effect.acquireUseRelease(
              Effect.sync(() => (open += 1)),
              (count) => serveClient(client, target, () => channel, count <= LARGE_ROOMS ? LARGE_ROOM : SMALL_ROOM),
              () => Effect.sync(() => (open -= 1))
              // A client that waits for its turn at this port takes no place of other ports.
            ).pipe(inAll.withPermits(1), turns.withPermits(1))
        }).pipe(
          Scope.extend(own),
          Effect.mapError(refusalOf(guestPort, hostPort)),
          Effect.onError(() => Scope.close(own, Exit.void))
        )
        yield* Scope.extend(holdPort(port, workspace), own)
        return { hostPort: port, scope: own }
      }).pipe(Effect.uninterruptible)

    const close = (publication: Publication) =>
      Effect.suspend(() => {
        const { listener } = publication
        publication.listener = undefined
        return listener === undefined ? Effect.void : Scope.close(listener.scope, Exit.void)
      })

    const tell = (kind: "port_published" | "port_unpublished", publication: Publication) =>
      recordEvent(directory, { _tag: kind, ...infoOf(publication) })

    /** Listens on the known port of the host if it is free, else on another one. */
    const listenAgain = (publication: Publication) =>
      Effect.gen(function*() {
        const { stored } = publication
        const { guestPort, hostPort } = stored
        publication.listener = hostPort === undefined
          ? yield* listenFor(guestPort, 0)
          : yield* Effect.catchAll(listenFor(guestPort, hostPort), (failure) =>
            Effect.zipRight(
              Effect.logWarning(`${workspace}: ${failure.fact}; port ${guestPort} of the guest gets another one`),
              listenFor(guestPort, 0)
            ))
        publication.stored = { ...stored, hostPort: publication.listener.hostPort }
        if (publication.stored.hostPort !== hostPort) yield* tell("port_published", publication)
      }).pipe(
        Effect.catchAll(({ fact }) =>
          Effect.logWarning(`${workspace}: port ${publication.stored.guestPort} of the guest is not published: ${fact}`)
        )
      )

    const remove = (publication: Publication) =>
      Effect.gen(function*() {
        const { stored: { guestPort } } = publication
        published.delete(guestPort)
        yield* write
        const info = infoOf(publication)
        yield* tell("port_unpublished", publication)
        yield* close(publication)
        return info
      }).pipe(Effect.uninterruptible)

    const existing = ({ listener, stored }: Publication, { guestPort, hostPort, service }: PublishRequest) =>
      stored.service === service && (hostPort === undefined || hostPort === listener?.hostPort)
        ? Effect.void
        : new PortAlreadyPublished({
          guestPort,
          ...(listener === undefined ? {} : { hostPort: listener.hostPort }),
          ...(stored.service === undefined ? {} : { service: stored.service })
        })

    const publish = (request: PublishRequest) =>
      Effect.gen(function*() {
        const { guestPort, hostPort, service } = request
        yield* demandAllowed(guestPort, network)
        const before = published.get(guestPort)
        if (before !== undefined) {
          yield* existing(before, request)
          if (before.listener !== undefined) return infoOf(before)
        }
        const listener = yield* listenFor(guestPort, hostPort ?? 0)
        const stored = { guestPort, hostPort: listener.hostPort, ...(service === undefined ? {} : { service }) }
        const publication: Publication = { stored, listener }
        published.set(guestPort, publication)
        yield* Effect.onError(write, () => {
          published.delete(guestPort)
          return close(publication)
        })
        yield* tell("port_published", publication)
        return infoOf(publication)
      }).pipe(Effect.uninterruptible)

    const closeAll = Effect.suspend(() => Effect.forEach([...published.values()], close, { discard: true }))

    return {
      publish: (request) => one.withPermits(1)(publish(request)),
      unpublish: (guestPort) =>
        one.withPermits(1)(Effect.suspend((): ReturnType<Ports["unpublish"]> => {
          const found = published.get(guestPort)
          return found === undefined
            ? new PortNotPublished({ guestPort, published: inOrder().map(({ stored }) => stored.guestPort) })
            : remove(found)
        })),
      unpublishService: (service) =>
        one.withPermits(1)(Effect.suspend(() =>
          Effect.forEach(inOrder().filter(({ stored }) => stored.service === service), remove, { discard: true })
        )),
      list: () =>
        inOrder().map(infoOf),
      open: () => open,
      begin: (vm) =>
        Effect.gen(function*() {
          channel = vm.channel
          const silent = inOrder().filter(({ listener }) => listener === undefined)
          if (silent.length === 0) return
          yield* Effect.forEach(silent, listenAgain, { discard: true })
          yield* write
        }).pipe(Effect.ignoreLogged, one.withPermits(1)),
      lose: Effect.gen(function*() {
        channel = undefined
        yield* closeAll
        const owned = inOrder().filter(({ stored }) => stored.service !== undefined)
        for (const { stored } of owned) published.delete(stored.guestPort)
        if (owned.length > 0) yield* write
      }).pipe(Effect.ignoreLogged, Effect.uninterruptible, one.withPermits(1)),
      noted: () => ({ workspace, ports: inOrder().map(({ stored }) => stored) }),
      inherit: (noted) =>
        Effect.suspend(() => {
          for (const { hostPort, ...port } of noted.ports) {
            const kept = noted.workspace === workspace && hostPort !== undefined ? { hostPort } : {}
            published.set(port.guestPort, { stored: { ...port, ...kept }, listener: undefined })
          }
          return write
        }).pipe(one.withPermits(1)),
      clear: Effect.zipRight(closeAll, Effect.suspend(() => (published.clear(), write))).pipe(
        Effect.uninterruptible,
        one.withPermits(1)
      )
    }
  })
