import { Effect, Stream } from "effect"
import type { PyroError } from "../../contract/errors/errors.ts"
import type { AskedNetwork } from "../../contract/rows/network-fields.ts"
import type { Notice } from "../../contract/rows/notice.ts"
import type { Operation, OperationName } from "../../contract/rows/operations.ts"
import { callOf, mapCalls, type PyroService } from "../../contract/rows/Pyro.ts"
import type { WorkspaceInfo } from "../../contract/rows/workspace-info.ts"
import { RemoteMachine } from "../../sdk/model/remote-machine.ts"
import { processEnvironment } from "../../system/settings/config.ts"
import { differingSettings } from "../../system/settings/daemon-settings.ts"
import { differingProxies } from "../../system/settings/proxies.ts"
import { note } from "../output/print.ts"

/** Operations with events in whose work the daemon boots guests, and may make connections for guests or builds. */
const CONNECTING: ReadonlyArray<OperationName> = ["workspace.create", "run", "env.pull", "env.build"]

/** Whether requests of the operation may need `withStaleWarnings`. */
export const mayConnect = ({ name }: Operation): boolean => CONNECTING.includes(name)

interface Request extends AskedNetwork {
  readonly devcontainer?: unknown
  readonly dockerfile?: unknown
}

/** Whether the proxies matter to a request: it builds, or grants a network. */
const usesProxies = (name: OperationName, payload: Request) => {
  if (name.startsWith("env.") || (payload.devcontainer ?? payload.dockerfile) !== undefined) return true
  const { allowHosts = [], allowIps = [], networkPolicy } = payload
  if (networkPolicy === "off") return false
  return networkPolicy !== undefined || allowHosts.length + allowIps.length > 0
}

const HOW = "to use this shell's: pyro daemon stop (workspaces go on)"

const verb = (names: ReadonlyArray<string>) => names.length === 1 ? "differs" : "differ"

type Variables = Readonly<Record<string, string | undefined>>

/** Warning if the daemon has other proxies than this shell. */
const staleProxies = (started: Variables) => {
  const names = differingProxies(processEnvironment(), started)
  return names.length === 0
    ? []
    : [
      `the running daemon connects with its own ${names.join(", ")}, which ${verb(names)} from this shell's; ${HOW}`
    ]
}

/** Warning if the daemon was started with other settings than this shell has. */
const staleSettings = (own: Variables, started: Variables) => {
  const names = differingSettings(own, started)
  return names.length === 0
    ? []
    : [`the running daemon keeps its own ${names.join(", ")}, which ${verb(names)} from this shell's; ${HOW}`]
}

const load = Effect.promise(() => import("../../sdk/client.ts"))

/** The variables that the running daemon was started with. Undefined if none runs, or none of this `version`. */
const startedWith = (version?: string): Effect.Effect<Variables | undefined, PyroError> =>
  Effect.flatMap(load, ({ daemonVariables }) => daemonVariables(version))

/** The same operations, with a warning before the events of those whose work takes other settings than this shell has. */
export const withStaleWarnings = (pyro: PyroService, version: string): PyroService =>
  mapCalls((row) => {
    const call = callOf(pyro, row)
    if (!mayConnect(row)) return call
    return (payload: Request, ...input: []) => {
      const events = call(payload, ...input) as Stream.Stream<unknown, PyroError>
      const said = Effect.gen(function*() {
        const started = yield* startedWith(version)
        if (started === undefined) return []
        const all = [
          ...staleSettings(yield* (yield* load).ownVariables, started),
          ...usesProxies(row.name, payload) ? staleProxies(started) : []
        ]
        return all.map((message): Notice => ({ _tag: "Notice", level: "warning", message }))
      })
      return Stream.concat(Stream.fromIterableEffect(said), events)
    }
  })

/** The warning about proxies for a workspace that the daemon has just worked on. */
export const warnOfProxies = ({ network }: Pick<WorkspaceInfo, "network">) =>
  Effect.gen(function*() {
    // The daemon of another machine has the proxies of that machine.
    if (network === undefined || network.networkPolicy === "off" || (yield* RemoteMachine) !== undefined) return
    const started = yield* startedWith()
    for (const message of started === undefined ? [] : staleProxies(started)) {
      yield* note(`pyro: warning: ${message}\n`)
    }
  })
