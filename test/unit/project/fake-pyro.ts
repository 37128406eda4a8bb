import { Effect, Layer, Stream } from "effect"
import { WorkspaceNotFound } from "../../../src/contract/errors/errors.ts"
import { Pyro } from "../../../src/contract/rows/Pyro.ts"
import type { Surface } from "../../../src/project/surface.ts"
import { Paths } from "../../../src/system/files/Paths.ts"
import { folderWith } from "./folder.ts"

interface Known {
  readonly id: string
  readonly name: string
  readonly environment: string
  state: string
  readonly services: Map<string, string>
  ports: ReadonlyArray<{ readonly guestPort: number; readonly hostPort: number }>
}

/** A host with workspaces that are records, and what was asked of it in order. */
export const fakeHost = () => {
  const calls: Array<string> = []
  const payloads: Array<readonly [string, Readonly<Record<string, unknown>>]> = []
  const all = new Map<string, Known>()
  const failing = new Set<string>()
  const asked: Array<ReadonlyArray<string>> = []
  const person = { grants: false, answers: () => {}, variables: new Map<string, string>(), logins: {} }
  const called = (name: string, payload: object) => {
    payloads.push([name, payload as never])
    const { command, environment, name: of, port, script } = payload as Readonly<Record<string, unknown>>
    calls.push([name, of ?? script ?? port ?? environment ?? command].filter((word) => word !== undefined).join(" "))
  }
  const find = (id: string) => {
    const found = all.get(id)
    return found === undefined
      ? Effect.fail(new WorkspaceNotFound({ workspace: id, similar: [] }))
      : Effect.succeed(found)
  }
  const turn = (name: string, state: string) => (payload: { readonly workspace: string }) =>
    Stream.fromEffect(Effect.map(find(payload.workspace), (found) => {
      called(name, payload)
      found.state = state
      return { _tag: "Ready", workspace: found }
    }))
  const service = {
    list: ({ workspace }: { readonly workspace: string }) =>
      Effect.map(find(workspace), ({ services }) => ({
        services: [...services].map(([name, state]) => ({ name, state }))
      })),
    start: (payload: { readonly workspace: string; readonly name: string }) =>
      Effect.map(find(payload.workspace), ({ services }) => {
        called("service.start", payload)
        services.set(payload.name, "ready")
      }),
    stop: (payload: { readonly workspace: string; readonly name: string }) =>
      Effect.map(find(payload.workspace), ({ services }) => {
        called("service.stop", payload)
        services.set(payload.name, "stopped")
      })
  }
  const port = {
    list: ({ workspace }: { readonly workspace: string }) => Effect.map(find(workspace), ({ ports }) => ({ ports })),
    publish: (payload: { readonly workspace: string; readonly port: string }) =>
      Effect.map(find(payload.workspace), (found) => {
        called("port.publish", payload)
        const [guest, host = 40_000] = payload.port.split(":").reverse()
        found.ports = [...found.ports, { guestPort: Number(guest), hostPort: Number(host) }]
      }),
    unpublish: (payload: { readonly workspace: string; readonly guestPort: number }) =>
      Effect.map(find(payload.workspace), (found) => {
        called("port.unpublish", payload)
        found.ports = found.ports.filter(({ guestPort }) => guestPort !== payload.guestPort)
      })
  }
  const workspace = {
    service,
    port,
    network: { set: (payload: object) => Effect.sync(() => called("network.set", payload)) },
    list: () => Effect.succeed({ workspaces: [...all.values()] }),
    status: ({ workspace }: { readonly workspace: string }) => find(workspace),
    create: (payload: { readonly name: string; readonly environment?: string; readonly devcontainer?: string }) =>
      Stream.sync(() => {
        called("create", { ...payload, name: undefined })
        const id = `ws-${String(all.size + 1).padStart(10, "0")}`
        const environment = payload.devcontainer === undefined ? payload.environment ?? "" : "devcontainer-built"
        const made: Known = { id, name: payload.name, environment, state: "running", services: new Map(), ports: [] }
        all.set(id, made)
        return { _tag: "Ready", workspace: made }
      }),
    delete: ({ workspaces: [id] }: { readonly workspaces: ReadonlyArray<string> }) =>
      Effect.sync(() => {
        calls.push("delete")
        all.delete(id!)
      }),
    update: (payload: object) => Effect.sync(() => called("update", { ...payload, name: undefined })),
    exec: (payload: { readonly script: string }) =>
      Stream.suspend(() => {
        called("exec", payload)
        const status = failing.has(payload.script) ? 3 : 0
        return Stream.make({ _tag: "Started", execId: "1" }, {
          _tag: "Exited",
          outcome: "exited",
          status,
          durationMs: 1
        })
      }),
    start: turn("start", "running"),
    resume: turn("resume", "running"),
    pause: turn("pause", "paused")
  }
  const env = {
    list: () => Effect.succeed({ environments: [{ name: "debian:12" }] }),
    pull: (payload: object) =>
      Stream.sync(() => {
        called("env.pull", payload)
        return { _tag: "Ready", environment: { name: "pulled" } }
      }),
    build: (payload: { readonly name: string }) =>
      Stream.sync(() => {
        called("env.build", payload)
        return { _tag: "Ready", environment: { name: payload.name } }
      })
  }
  const surface: Surface = {
    grants: (_, asks) =>
      Effect.sync(() => {
        asked.push(asks)
        person.answers()
        return person.grants
      }),
    withLogins: (_, payload) => Effect.succeed({ ...payload, ...person.logins }),
    show: (row, payload, events) =>
      Effect.suspend(() => {
        const folding = row.fold(payload)
        return Effect.map(
          Stream.runForEach(events, (event) => Effect.sync(() => folding.add(event))),
          () => folding.result()!
        )
      }),
    output: () => Effect.void,
    say: () => Effect.void,
    variable: (name) => person.variables.get(name)
  }
  const state = folderWith({})
  const layer = Layer.merge(Layer.succeed(Pyro, { workspace, env } as never), Paths.layerIn(state))
  return { calls, payloads, all, failing, asked, person, surface, layer, state }
}
