import { Effect } from "effect"
import { isOptions, noOptions } from "../model/options.ts"
import type { Network, Ports, Services, Snapshots } from "../promises/services.ts"
import { commandFields, type Host } from "./host.ts"
import type { InEffect } from "./in-effect.ts"
import { handle } from "./marks.ts"
import { inSeconds } from "./option-names.ts"

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
    set: (policy) => isOptions(policy) ? use(network.set({ ...policy, workspace })) : Effect.fail(noOptions("policy")),
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
