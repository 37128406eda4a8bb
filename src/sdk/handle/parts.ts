import { Effect, type Scope } from "effect"
import { ChannelFailed, type PyroError } from "../../contract/errors/errors.ts"
import type { Network, Port, Ports, Services, Snapshots } from "../promises/services.ts"
import type { Workspace } from "../promises/workspace.ts"
import { commandFields, type Host, inSeconds } from "./host.ts"
import type { InEffect } from "./in-effect.ts"
import { handle } from "./marks.ts"

export const servicesOf = ({ pyro: { workspace: { service } }, use }: Host, workspace: string): InEffect<Services> =>
  handle<InEffect<Services>>("Services", {
    start: (name, command, options) =>
      use(service.start({ ...inSeconds(options), ...commandFields(command), workspace, name })),
    list: () => Effect.map(use(service.list({ workspace })), ({ services }) => services),
    get: (name) =>
      Effect.asSome(use(service.status({ workspace, name }))).pipe(
        Effect.catchTag("ServiceNotFound", () => Effect.succeedNone)
      ),
    logs: (name, options) => use(service.logs({ workspace, name, ...options })),
    stop: (name, options) => use(service.stop({ ...inSeconds(options), workspace, name }))
  })

export const networkOf = ({ pyro: { workspace: { network } }, use }: Host, workspace: string): InEffect<Network> =>
  handle<InEffect<Network>>("Network", {
    set: (policy) => use(network.set({ ...policy, workspace })),
    log: (options) => use(network.log({ ...options, workspace }))
  })

export const snapshotsOf = ({ pyro: { workspace: { snapshot } }, use }: Host, workspace: string): InEffect<Snapshots> =>
  handle<InEffect<Snapshots>>("Snapshots", {
    list: () => Effect.map(use(snapshot.list({ workspace })), ({ snapshots }) => snapshots),
    delete: (name) => Effect.asVoid(use(snapshot.delete({ workspace, name })))
  })

export const portsOf = ({ pyro: { workspace: { port } }, use }: Host, workspace: string): InEffect<Ports> =>
  handle<InEffect<Ports>>("Ports", {
    list: () => Effect.map(use(port.list({ workspace })), ({ ports }) => ports),
    close: (guestPort) => Effect.asVoid(use(port.unpublish({ workspace, guestPort })))
  })

/** Publishes ports. The Scope ends the listener. */
export const portIn =
  ({ pyro: { workspace: { port } }, use }: Host, workspace: string): InEffect<Workspace>["port"] =>
  (guestPort, { hostPort } = {}): Effect.Effect<InEffect<Port>, PyroError, Scope.Scope> => {
    const unpublish = Effect.asVoid(use(port.unpublish({ workspace, guestPort })))
    const publish = use(port.publish({ workspace, port: `${hostPort ?? 0}:${guestPort}` }))
    return Effect.gen(function*() {
      const { hostPort } = yield* Effect.acquireRelease(publish, () => Effect.ignoreCause(unpublish))
      if (hostPort === undefined) return yield* new ChannelFailed({ detail: "the host does not listen for the port" })
      return handle<InEffect<Port>>("Port", {
        guestPort,
        hostPort,
        url: `http://127.0.0.1:${hostPort}`,
        close: () => unpublish
      })
    })
  }
