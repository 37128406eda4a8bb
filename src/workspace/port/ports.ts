import { Effect, type Scope } from "effect"
import * as path from "node:path"
import {
  type NoSpace,
  PortAlreadyPublished,
  type PortInUse,
  PortNotPublished,
  type PortUnavailable,
  type PublishingNotAllowed,
  type StateDirectoryUnusable
} from "../../contract/errors.ts"
import type { AskedPort, PublishedPort } from "../../contract/operations/port-fields.ts"
import type { GuestChannel } from "../../guest-channel/GuestChannel.ts"
import { type NewEvent, recordEvent } from "../events.ts"
import type { Network } from "../network/network.ts"
import type { ResidentVm } from "../residents/Resident.ts"
import { demandAllowed, letsModelsPublish } from "./allowed.ts"
import { makeListeners } from "./listener.ts"
import { infoOf, type Publication, takeEvents } from "./publication.ts"
import { type PortState, readPorts, writePorts } from "./state.ts"

type HostFailure = NoSpace | StateDirectoryUnusable

export interface PublishRequest extends AskedPort {
  /** Service that the port belongs to. @default none */
  readonly service?: string
  /** A model asked for the port in an earlier request. @default the caller of this one decides */
  readonly byModel?: boolean
  /** Workspace in the words of the caller, for errors. @default its id */
  readonly workspace?: string
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
  /** Ends a listener and resets its connections. `workspace`: its name in the words of the caller. */
  readonly unpublish: (
    guestPort: number,
    workspace: string
  ) => Effect.Effect<PublishedPort, PortNotPublished | HostFailure>
  /** Ends the listeners of a service, if there are any. */
  readonly unpublishService: (service: string) => Effect.Effect<void, HostFailure>
  /** Ends the ports that models published if the network policy no longer lets a model publish. */
  readonly followPolicy: Effect.Effect<void>
  /** By guest port. */
  readonly list: () => ReadonlyArray<PublishedPort>
  /** Number of open connections. */
  readonly open: () => number
  /** Listens for all ports in a VM that the workspace has now. */
  readonly begin: (vm: ResidentVm) => Effect.Effect<void>
  /** Sentences about ports that the present VM does not have as the VM before had them. Each is given once. */
  readonly takeWarnings: Effect.Effect<ReadonlyArray<string>>
  /** Ends all listeners: the VM has ended. The ports of services are forgotten, the others come back with the next VM. */
  readonly lose: Effect.Effect<void>
  readonly noted: () => PortState
  /** Takes over noted ports. Those of another workspace get other ports of the host. */
  readonly inherit: (noted: PortState) => Effect.Effect<void, HostFailure>
  readonly clear: Effect.Effect<void, HostFailure>
}

/** Opens the published ports of the workspace in `directory`. Their listeners close with the Scope. */
export const openPorts = (
  directory: string,
  network: Pick<Network, "info">
): Effect.Effect<Ports, HostFailure, Scope.Scope> =>
  Effect.gen(function*() {
    const id = path.basename(directory)
    const published = new Map<number, Publication>()
    for (const stored of yield* readPorts(directory)) {
      published.set(stored.guestPort, { stored, listener: undefined })
    }
    const one = yield* Effect.makeSemaphore(1)
    let channel: GuestChannel | undefined
    let warnings: ReadonlyArray<string> = []
    const listeners = yield* makeListeners(id, () => channel)

    const inOrder = () => [...published.values()].toSorted((a, b) => a.stored.guestPort - b.stored.guestPort)
    const write = Effect.suspend(() => writePorts(directory, inOrder().map(({ stored }) => stored)))

    const record = (events: ReadonlyArray<NewEvent>) =>
      Effect.forEach(events, (event) => recordEvent(directory, event), { discard: true })

    /** Records the events that publications lack. The file knows of the events first: each is recorded once at most. */
    const tell = (publications: ReadonlyArray<Publication>) =>
      Effect.suspend(() => {
        const events = publications.flatMap(takeEvents)
        return Effect.ensuring(write, record(events))
      })

    /** Listens on the known port of the host if it is free, else on another one. */
    const listenAgain = (publication: Publication) => {
      const { stored } = publication
      const { guestPort, hostPort } = stored
      const warn = (sentence: string) =>
        Effect.zipRight(
          Effect.logWarning(`${id}: ${sentence}`),
          Effect.sync(() => void (warnings = [...warnings, sentence]))
        )
      const known = listeners.listen(guestPort, hostPort ?? 0)
      const other = hostPort === undefined ?
        known :
        Effect.catchAll(known, ({ fact }) =>
          Effect.tap(
            listeners.listen(guestPort, 0),
            (listener) =>
              warn(`port ${guestPort} of the guest is now published on 127.0.0.1:${listener.hostPort}: ${fact}`)
          ))
      return other.pipe(
        Effect.map((listener) => {
          publication.listener = listener
          publication.stored = { ...stored, hostPort: listener.hostPort }
        }),
        Effect.catchAll(({ fact }) => warn(`port ${guestPort} of the guest is not published: ${fact}`))
      )
    }

    /** A port that the file cannot lose stays. */
    const remove = (gone: ReadonlyArray<Publication>) =>
      Effect.suspend(() => {
        for (const { stored } of gone) published.delete(stored.guestPort)
        const keep = Effect.sync(() => {
          for (const publication of gone) published.set(publication.stored.guestPort, publication)
        })
        return gone.length === 0 ? Effect.void : Effect.onError(write, () => keep).pipe(
          Effect.zipRight(Effect.forEach(gone, listeners.close)),
          Effect.zipRight(Effect.suspend(() => record(gone.flatMap(takeEvents))))
        )
      }).pipe(Effect.uninterruptible)

    /** Ends the ports that models may no longer publish, also if the disk is full: the next VM does without them in any case. */
    const followPolicy = Effect.suspend(() => {
      const gone = letsModelsPublish(network) ? [] : inOrder().filter(({ stored }) => stored.byModel === true)
      if (gone.length === 0) return Effect.void
      for (const { stored } of gone) published.delete(stored.guestPort)
      return Effect.zipRight(Effect.forEach(gone, listeners.close), Effect.ignoreLogged(tell(gone)))
    }).pipe(Effect.uninterruptible)

    const existing = (
      { listener, stored }: Publication,
      { guestPort, hostPort, service, workspace = id }: PublishRequest
    ) =>
      stored.service === service && (hostPort === undefined || hostPort === listener?.hostPort)
        ? Effect.void
        : new PortAlreadyPublished({
          workspace,
          guestPort,
          ...(listener === undefined ? {} : { hostPort: listener.hostPort }),
          ...(stored.service === undefined ? {} : { service: stored.service })
        })

    /** A port that a person asks for stays, whoever published it first. */
    const makePersons = (publication: Publication) => {
      const { byModel, ...rest } = publication.stored
      if (byModel === undefined) return Effect.void
      publication.stored = rest
      return write
    }

    const publish = (request: PublishRequest) =>
      Effect.gen(function*() {
        const { byModel = false, guestPort, hostPort, service, workspace = id } = request
        const isModels = yield* demandAllowed({ byModel, guestPort, workspace }, network)
        const before = published.get(guestPort)
        if (before !== undefined) {
          yield* existing(before, request)
          if (!isModels) yield* makePersons(before)
          if (before.listener !== undefined) return infoOf(before)
        }
        const listener = yield* listeners.listen(guestPort, hostPort ?? 0)
        const publication: Publication = {
          stored: {
            guestPort,
            hostPort: listener.hostPort,
            ...(service === undefined ? {} : { service }),
            ...(isModels ? { byModel: true } : {})
          },
          listener
        }
        published.set(guestPort, publication)
        const events = takeEvents(publication)
        yield* Effect.onError(write, () => {
          published.delete(guestPort)
          return listeners.close(publication)
        })
        yield* record(events)
        return infoOf(publication)
      }).pipe(Effect.uninterruptible)

    const closeAll = Effect.suspend(() => Effect.forEach([...published.values()], listeners.close, { discard: true }))

    return {
      publish: (request) => one.withPermits(1)(publish(request)),
      unpublish: (guestPort, workspace) =>
        one.withPermits(1)(Effect.suspend((): ReturnType<Ports["unpublish"]> => {
          const found = published.get(guestPort)
          if (found === undefined) {
            const others = inOrder().map(({ stored }) => stored.guestPort)
            return new PortNotPublished({ workspace, guestPort, published: others })
          }
          return Effect.as(remove([found]), infoOf(found))
        })),
      unpublishService: (service) =>
        one.withPermits(1)(Effect.suspend(() => remove(inOrder().filter(({ stored }) => stored.service === service)))),
      followPolicy: one.withPermits(1)(followPolicy),
      list: () => inOrder().map(infoOf),
      open: listeners.open,
      begin: (vm) =>
        Effect.gen(function*() {
          channel = vm.channel
          yield* followPolicy
          const silent = inOrder().filter(({ listener }) => listener === undefined)
          if (silent.length === 0) return
          yield* Effect.forEach(silent, listenAgain, { discard: true })
          yield* tell(silent)
        }).pipe(Effect.ignoreLogged, Effect.uninterruptible, one.withPermits(1)),
      takeWarnings: Effect.sync(() => {
        const taken = warnings
        warnings = []
        return taken
      }),
      lose: Effect.gen(function*() {
        channel = undefined
        warnings = []
        yield* closeAll
        const all = inOrder()
        const changed = all.filter(({ stored }) => stored.service !== undefined || stored.announced !== undefined)
        for (const { stored } of all) if (stored.service !== undefined) published.delete(stored.guestPort)
        if (changed.length > 0) yield* tell(changed)
      }).pipe(Effect.ignoreLogged, Effect.uninterruptible, one.withPermits(1)),
      noted: () => ({ workspace: id, ports: inOrder().map(({ stored: { announced: _, ...port } }) => port) }),
      inherit: (noted) =>
        Effect.suspend(() => {
          for (const { announced: _, hostPort, ...port } of noted.ports) {
            const kept = noted.workspace === id && hostPort !== undefined ? { hostPort } : {}
            published.set(port.guestPort, { stored: { ...port, ...kept }, listener: undefined })
          }
          return write
        }).pipe(one.withPermits(1)),
      clear: Effect.zipRight(
        closeAll,
        Effect.suspend(() => {
          const all = inOrder()
          published.clear()
          return tell(all)
        })
      ).pipe(Effect.uninterruptible, one.withPermits(1))
    }
  })
