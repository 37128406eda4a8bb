import { Effect } from "effect"
import { Pyro } from "../contract/rows/Pyro.ts"
import type { ServiceInfo } from "../contract/rows/service-fields.ts"
import { readPort } from "../contract/rows/workspace-port.ts"
import { isObject } from "../system/files/atomic-file.ts"
import type { Definition } from "./definition.ts"
import { encoded } from "./differences.ts"
import { serviceRequest } from "./requests.ts"
import type { Surface } from "./surface.ts"

const LIVE: ReadonlyArray<ServiceInfo["state"]> = ["starting", "ready", "running"]

const tableOf = (value: unknown, key: string) => isObject(value) && isObject(value[key]) ? value[key] : {}

/**
 * Makes the services of a running workspace match the file, in the order of the file. A service that already matches stays. Each other service is
 * started when the services before it are ready.
 */
export const settleServices = (workspace: string, before: unknown, now: Definition, { say }: Surface) =>
  Effect.gen(function*() {
    const { workspace: { service } } = yield* Pyro
    const [old, young] = [tableOf(before, "services"), tableOf(encoded(now), "services")]
    if (Object.keys(old).length + Object.keys(young).length === 0) return
    const { services } = yield* service.list({ workspace })
    const live = new Set(services.filter(({ state }) => LIVE.includes(state)).map(({ name }) => name))
    const stale = [...live].filter((name) =>
      Object.hasOwn(old, name) && JSON.stringify(old[name]) !== JSON.stringify(young[name])
    )
    yield* Effect.forEach(stale, (name) => service.stop({ workspace, name }), { discard: true })
    yield* Effect.forEach(Object.entries(now.services ?? {}), ([name, definition]) =>
      Effect.gen(function*() {
        if (live.has(name) && !stale.includes(name)) return
        yield* say(`starts the service ${name}`)
        yield* service.start(yield* serviceRequest(workspace, name, definition))
      }), { discard: true })
  })

/** Publishes the ports of the file that belong to no service, and withdraws those that the file named before. */
export const settlePorts = (workspace: string, before: unknown, { ports = [] }: Definition) =>
  Effect.gen(function*() {
    const { workspace: { port } } = yield* Pyro
    const old = isObject(before) && Array.isArray(before["ports"]) ? before["ports"].map(String) : []
    if (old.length + ports.length === 0) return
    const { ports: published } = yield* port.list({ workspace })
    const own = published.filter(({ service }) => service === undefined)
    const wanted = ports.map((text) => ({ text, ...readPort(text)! }))
    const isWithdrawn = ({ guestPort, hostPort }: typeof own[number]) => {
      const want = wanted.find((one) => one.guestPort === guestPort)
      const wasNamed = old.some((text) => readPort(text)?.guestPort === guestPort)
      return want === undefined ? wasNamed : want.hostPort !== undefined && want.hostPort !== hostPort
    }
    const withdrawn = own.filter(isWithdrawn)
    yield* Effect.forEach(withdrawn, ({ guestPort }) => port.unpublish({ workspace, guestPort }), { discard: true })
    const stays = own.filter((one) => !withdrawn.includes(one)).map(({ guestPort }) => guestPort)
    yield* Effect.forEach(
      wanted.filter(({ guestPort }) => !stays.includes(guestPort)),
      ({ text }) => port.publish({ workspace, port: text }),
      { discard: true }
    )
  })
