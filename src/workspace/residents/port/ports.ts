import { Effect, Semaphore } from "effect"
import * as path from "node:path"
import { PortNotPublished } from "../../../contract/errors/errors.ts"
import type { PublishedPort } from "../../../contract/rows/workspace-port.ts"
import type { GuestChannel } from "../../../lib/guest-channel/GuestChannel.ts"
import type { Resident, ResidentVm } from "../../entry/resident.ts"
import type { Network } from "../network/network.ts"
import { type Listeners, makeListeners } from "./listener.ts"
import { letsModelsPublish, makePublish, type Publish } from "./publish.ts"
import { type HostFailure, infoOf, openTable, type PortState, type Publication } from "./table.ts"

/** Listens anew for ports that an earlier VM or process had. `id`: the workspace, for the log. */
const makeListeningAgain = (id: string, listeners: Pick<Listeners, "listen">) => {
  let warnings: ReadonlyArray<string> = []
  const warn = (sentence: string) =>
    Effect.andThen(
      Effect.logWarning(`${id}: ${sentence}`),
      Effect.sync(() => void (warnings = [...warnings, sentence]))
    )
  return {
    /** Listens on the known port of the host if it is free, else on another one. */
    listen: (publication: Publication) => {
      const { stored } = publication
      const { guestPort, hostPort } = stored
      const known = listeners.listen(guestPort, hostPort ?? 0)
      const other = hostPort === undefined ?
        known :
        Effect.catch(known, ({ fact }) =>
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
        Effect.catch(({ fact }) => warn(`port ${guestPort} of the guest is not published: ${fact}`))
      )
    },
    /** Sentences about ports that are not as before. Each is given once. */
    takeWarnings: () => {
      const taken = warnings
      warnings = []
      return taken
    }
  }
}

/** The parts of a workspace's ports. */
interface Parts {
  readonly table: Effect.Success<ReturnType<typeof openTable>>
  readonly listeners: Listeners
  readonly again: ReturnType<typeof makeListeningAgain>
  readonly network: Pick<Network, "info">
  /** One change at a time. */
  readonly one: Semaphore.Semaphore
}

const closeAll = ({ listeners, table: { published } }: Parts) =>
  Effect.suspend(() => Effect.forEach([...published.values()], listeners.close, { discard: true }))

/** Ends the ports that models may no longer publish, also if the disk is full: the next VM does without them in any case. */
const followPolicy = ({ listeners, network, table: { inOrder, published, report } }: Parts) =>
  Effect.suspend(() => {
    const gone = letsModelsPublish(network) ? [] : inOrder().filter(({ stored }) => stored.byModel === true)
    if (gone.length === 0) return Effect.void
    for (const { stored } of gone) published.delete(stored.guestPort)
    return Effect.andThen(Effect.forEach(gone, listeners.close), Effect.ignoreCause(report(gone)))
  }).pipe(Effect.uninterruptible)

/** What callers ask for. */
const requests = (id: string, parts: Parts) => {
  const { listeners, network, one, table } = parts
  const publish = makePublish(id, table, listeners, network)
  const remove = (gone: ReadonlyArray<Publication>) => table.remove(gone, listeners.close)
  return {
    /**
     * Listens from now on, also before the guest's server does: clients are then reset. A port that is published in the same way already
     * stays. A model needs the permission of its server and of the workspace's policy.
     */
    publish: (request: Parameters<Publish>[0]) => one.withPermits(1)(publish(request)),
    /** Ends a listener and resets its connections. `workspace`: its name in the words of the caller. */
    unpublish: (guestPort: number, workspace: string) =>
      one.withPermits(1)(Effect.suspend((): Effect.Effect<PublishedPort, PortNotPublished | HostFailure> => {
        const found = table.published.get(guestPort)
        if (found === undefined) {
          const others = table.inOrder().map(({ stored }) => stored.guestPort)
          return new PortNotPublished({ workspace, guestPort, published: others })
        }
        return Effect.as(remove([found]), infoOf(found))
      })),
    /** Ends the listeners of a service, if there are any. */
    unpublishService: (service: string) =>
      one.withPermits(1)(
        Effect.suspend(() => remove(table.inOrder().filter(({ stored }) => stored.service === service)))
      ),
    followPolicy: one.withPermits(1)(followPolicy(parts)),
    /** By guest port. */
    list: () => table.inOrder().map(infoOf),
    /** Number of open connections. */
    open: listeners.open,
    /** Sentences about ports that the present VM does not have as the VM before had them. Each is given once. */
    takeWarnings: Effect.sync(parts.again.takeWarnings)
  }
}

/** What follows the VM of the workspace. `reach` notes the way into it. */
const alongVm = (parts: Parts, reach: (channel: GuestChannel | undefined) => void) => {
  const { again, one, table: { inOrder, published, report } } = parts
  /** Listens for the ports that nothing listens for. */
  const listenAll = Effect.suspend(() => {
    const silent = inOrder().filter(({ listener }) => listener === undefined)
    if (silent.length === 0) return Effect.void
    return Effect.andThen(
      Effect.forEach(silent, again.listen, { discard: true }),
      Effect.suspend(() => report(silent))
    )
  })
  return {
    /** Listens for all ports in a VM that the workspace has now. */
    begin: (vm: ResidentVm) =>
      Effect.suspend(() => {
        reach(vm.channel)
        return Effect.andThen(followPolicy(parts), listenAll)
      }).pipe(Effect.ignoreCause, Effect.uninterruptible, one.withPermits(1)),
    /** Listens for all ports without a VM: a client wakes the workspace. */
    rest: Effect.suspend(() => {
      reach(undefined)
      return listenAll
    }).pipe(Effect.ignoreCause, Effect.uninterruptible, one.withPermits(1)),
    /** Ends all listeners: the VM has ended. The ports of services are forgotten, the others come back with the next VM. */
    lose: Effect.gen(function*() {
      reach(undefined)
      again.takeWarnings()
      yield* closeAll(parts)
      const all = inOrder()
      const changed = all.filter(({ stored }) => stored.service !== undefined || stored.announced !== undefined)
      for (const { stored } of all) if (stored.service !== undefined) published.delete(stored.guestPort)
      if (changed.length > 0) yield* report(changed)
    }).pipe(Effect.ignoreCause, Effect.uninterruptible, one.withPermits(1))
  }
}

/** What a snapshot and a fork take along. */
const noting = (id: string, parts: Parts) => {
  const { one, table: { inOrder, published, report, write } } = parts
  return {
    noted: (): PortState => ({
      workspace: id,
      ports: inOrder().map(({ stored: { announced: _, ...port } }) => port)
    }),
    /** Takes over noted ports. Those of another workspace get other ports of the host. */
    inherit: (noted: PortState) =>
      Effect.suspend(() => {
        for (const { announced: _, hostPort, ...port } of noted.ports) {
          const kept = noted.workspace === id && hostPort !== undefined ? { hostPort } : {}
          published.set(port.guestPort, { stored: { ...port, ...kept }, listener: undefined })
        }
        return write
      }).pipe(one.withPermits(1)),
    clear: Effect.andThen(
      closeAll(parts),
      Effect.suspend(() => {
        const all = inOrder()
        published.clear()
        return report(all)
      })
    ).pipe(Effect.uninterruptible, one.withPermits(1))
  }
}

/** The published ports of one workspace: their listeners on the host, while the workspace has a VM. */
export type Ports = Effect.Success<ReturnType<typeof openPorts>>

/**
 * Opens the published ports of the workspace in `directory`. Their listeners close with the Scope. `wake` brings back the VM of a paused
 * workspace, for a client.
 */
export const openPorts = (
  directory: string,
  network: Pick<Network, "info">,
  wake: Effect.Effect<void> = Effect.void
) =>
  Effect.gen(function*() {
    const id = path.basename(directory)
    const table = yield* openTable(directory)
    let channel: GuestChannel | undefined
    const present = Effect.sync(() => channel)
    // Also with a VM: a pause may have begun, and would reset the client.
    const listeners = yield* makeListeners(id, Effect.andThen(wake, present))
    const again = makeListeningAgain(id, listeners)
    const parts: Parts = { table, listeners, again, network, one: yield* Semaphore.make(1) }
    return {
      ...requests(id, parts),
      ...alongVm(parts, (now) => void (channel = now)),
      ...noting(id, parts)
    }
  })

/**
 * A workspace's published ports as a resident. Open connections end with their VM: a copy of its memory has none. A service's ports come
 * and go with the service.
 */
export const portResident = (ports: Ports): Resident<PortState> => ({
  begin: ports.begin,
  adopt: ports.begin,
  lose: () => ports.lose,
  rest: () => ports.rest,
  note: () => Effect.sync(ports.noted),
  inherit: ports.inherit,
  clear: ports.clear,
  takeWarnings: ports.takeWarnings,
  isBusy: Effect.sync(() => ports.open() > 0),
  describe: Effect.sync(() => {
    const all = ports.list()
    return all.length === 0 ? {} : { ports: all }
  })
})
