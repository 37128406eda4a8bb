import { Effect, Stream } from "effect"
import type { PyroError } from "../../contract/errors/errors.ts"
import type { AskedNetwork } from "../../contract/rows/network-fields.ts"
import type { Notice } from "../../contract/rows/notice.ts"
import type { Operation, OperationName } from "../../contract/rows/operations.ts"
import { callOf, mapCalls, type PyroService } from "../../contract/rows/Pyro.ts"
import type { WorkspaceInfo } from "../../contract/rows/workspace-info.ts"
import { processEnvironment } from "../../system/settings/config.ts"
import { differingProxies } from "../../system/settings/proxies.ts"
import { note } from "../output/print.ts"

/** Operations with events in whose work the daemon may make connections for guests or builds. */
const CONNECTING: ReadonlyArray<OperationName> = ["workspace.create", "run", "env.pull", "env.build"]

/** Whether requests of the operation may need `withProxyWarning`. */
export const mayConnect = ({ name }: Operation): boolean => CONNECTING.includes(name)

interface Request extends AskedNetwork {
  readonly devcontainer?: unknown
  readonly dockerfile?: unknown
  readonly networkDriver?: string
}

/** Whether the proxies matter to a request: it builds, or grants a network. A network device uses no proxy. */
const usesProxies = (name: OperationName, payload: Request) => {
  if (name.startsWith("env.") || (payload.devcontainer ?? payload.dockerfile) !== undefined) return true
  const { allowHosts = [], allowIps = [], networkDriver, networkPolicy } = payload
  if (networkDriver === "tap" || networkPolicy === "off") return false
  return networkPolicy !== undefined || allowHosts.length + allowIps.length > 0
}

/** Warning if the daemon has other proxies than this shell. Undefined if no daemon runs, or none of this `version`. */
const staleProxies = (version?: string): Effect.Effect<string | undefined, PyroError> =>
  Effect.gen(function*() {
    const { daemonVariables } = yield* Effect.promise(() => import("../../sdk/client.ts"))
    const started = yield* daemonVariables(version)
    const names = started === undefined ? [] : differingProxies(processEnvironment(), started)
    return names.length === 0
      ? undefined
      : `the running daemon connects with its own ${names.join(", ")}, which differ${
        names.length === 1 ? "s" : ""
      } from this shell's; to use this shell's: pyro daemon stop (workspaces go on)`
  })

/** The same operations, with a warning before the events of those whose connections take other proxies than this shell has. */
export const withProxyWarning = (pyro: PyroService, version: string): PyroService =>
  mapCalls((row) => {
    const call = callOf(pyro, row)
    if (!mayConnect(row)) return call
    return (payload: Request, ...input: []) => {
      const events = call(payload, ...input) as Stream.Stream<unknown, PyroError>
      if (!usesProxies(row.name, payload)) return events
      const said = Effect.map(staleProxies(version), (message): ReadonlyArray<Notice> =>
        message === undefined ? [] : [{ _tag: "Notice", level: "warning", message }])
      return Stream.concat(Stream.fromIterableEffect(said), events)
    }
  })

/** The same warning about a workspace that the daemon has just worked on. */
export const warnOfProxies = ({ network, networkDriver }: Pick<WorkspaceInfo, "network" | "networkDriver">) =>
  Effect.gen(function*() {
    if (network === undefined || network.networkPolicy === "off" || networkDriver === "tap") return
    const message = yield* staleProxies()
    if (message !== undefined) yield* note(`pyro: warning: ${message}\n`)
  })
