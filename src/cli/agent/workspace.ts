import { Effect } from "effect"
import type { Inside } from "../../agent-host/inside.ts"
import { InvalidRequest } from "../../contract/errors/errors.ts"
import { BuildPayload, environmentBuild } from "../../contract/rows/environment.ts"
import { Pyro } from "../../contract/rows/Pyro.ts"
import { DEFAULT_MEMORY_MIB } from "../../contract/rows/workspace-field.ts"
import type { WorkspaceInfo } from "../../contract/rows/workspace-info.ts"
import { CreatePayload, workspaceCreate, workspaceStart } from "../../contract/rows/workspace-lifecycle.ts"
import { NetworkSetPayload } from "../../contract/rows/workspace-network.ts"
import { UpdatePayload, workspaceUpdate } from "../../contract/rows/workspace-update.ts"
import { decode } from "../arguments/parser.ts"
import { firstLine } from "../output/ask.ts"
import { note, warn } from "../output/print.ts"
import { withProgress } from "../output/progress.ts"
import { warnOfProxies } from "../perform/stale-daemon.ts"
import type { AgentPayload } from "../rows/agent.ts"
import { Terminal } from "../terminal/Terminal.ts"
import type { FromFile } from "./project-file.ts"
import { projectHere } from "./project-here.ts"

/** A workspace in which the agent runs. */
interface AgentWorkspace {
  readonly id: string
  /** Description for people: its name and its content. */
  readonly description: string
}

/**
 * A running workspace with the agent, the placeholder of its key, and its network: the named one, an earlier one that the person continues,
 * or a new one.
 */
export const workspaceFor = (payload: AgentPayload, inside: Inside, file: FromFile) =>
  Effect.gen(function*() {
    if (payload.workspace !== undefined) return yield* useExisting(payload, inside, payload.workspace)
    const seedPath = payload.seedPath ?? (yield* projectHere)
    const earlier = yield* earlierWorkspace(payload, seedPath, inside.isOnce)
    return yield* earlier === undefined
      ? create(payload, inside, { file, seedPath })
      : useExisting(payload, inside, earlier)
  })

const secretsOf = ({ access, key }: Inside) => ({
  secrets: { [key.variable]: key.value },
  secret_http: [access.secretHttp]
})

const create = (
  payload: AgentPayload,
  inside: Inside,
  { file, seedPath }: { readonly file: FromFile; readonly seedPath: string }
) =>
  Effect.gen(function*() {
    const pyro = yield* Pyro
    const request = yield* decode(workspaceCreate.cli, CreatePayload(), {
      environment: yield* environmentOf(inside, file.request["memory_mib"] ?? payload.memoryMib ?? DEFAULT_MEMORY_MIB),
      seed_path: seedPath,
      ...(payload.git === undefined ? {} : { git: payload.git }),
      include_ignored: payload.includeIgnored,
      allow_home: payload.allowHome,
      // Claude Code refuses to work without questions as root.
      workspace_user: "agent",
      ...(payload.name === undefined ? {} : { name: payload.name }),
      labels: { agent: inside.agent },
      memory_mib: payload.memoryMib,
      vcpu_count: payload.vcpuCount,
      ...file.request,
      allow_hosts: [...new Set([inside.access.allowHost, ...payload.allowHosts, ...file.allowHosts])],
      ...secretsOf(inside)
    })
    const { workspace } = yield* withProgress(workspaceCreate, request, pyro.workspace.create(request))
    return {
      id: workspace.id,
      description: `${workspace.name ?? workspace.id}, a microVM with a copy of ${seedPath}`
    } satisfies AgentWorkspace
  })

/** The environment with the agent, built at the first use of this version. */
const environmentOf = ({ environment }: Inside, memoryMib: unknown) =>
  Effect.gen(function*() {
    const pyro = yield* Pyro
    const { environments } = yield* pyro.env.list({})
    const isReady = environments.some(({ name, state }) => name === environment.name && state === "ready")
    if (!isReady) {
      const request = yield* decode(environmentBuild.cli, BuildPayload(), {
        ...environment,
        next_memory_mib: memoryMib
      })
      yield* withProgress(environmentBuild, request, pyro.env.build(request))
    }
    return environment.name
  })

const useExisting = (payload: AgentPayload, inside: Inside, named: string) =>
  Effect.gen(function*() {
    const pyro = yield* Pyro
    const odd = payload.new ? "new" : ofNew.find((field) => payload[field] !== undefined)
    if (odd !== undefined) {
      return yield* new InvalidRequest({ field: odd, detail: "cannot be combined with --workspace, which exists" })
    }
    const found = yield* pyro.workspace.status({ workspace: named })
    if (!inside.isIn(found.environment)) {
      return yield* new InvalidRequest({
        field: "--workspace",
        detail:
          `${named} has the environment ${found.environment}, without ${inside.agent}; omit --workspace for a new one`
      })
    }
    const workspace = found.id
    if (found.state !== "running") {
      yield* withProgress(workspaceStart, { workspace }, pyro.workspace.start({ workspace }))
    }
    yield* pyro.workspace.update(
      yield* decode(workspaceUpdate.cli, UpdatePayload(), { workspace, ...secretsOf(inside) })
    )
    yield* grant([inside.access.allowHost, ...payload.allowHosts], found)
    yield* warnOfProxies(yield* pyro.workspace.status({ workspace }))
    return {
      id: workspace,
      description: `${found.name ?? workspace}, the microVM of an earlier run`
    } satisfies AgentWorkspace
  })

/** A policy with additional hosts. Undefined if the policy already allows them. */
export const withHosts = (hosts: ReadonlyArray<string>, network: WorkspaceInfo["network"]) => {
  if (network === undefined || network.networkPolicy === "off") {
    return hosts.length === 0
      ? undefined
      : { allow_hosts: hosts }
  }
  const { allowHosts, allowIps, denyHosts, networkPolicy, trustHostCertificates = false } = network
  const missing = hosts.filter((host) => !allowHosts.includes(host))
  if (missing.length === 0 || allowHosts.length + allowIps.length === 0) return undefined
  return {
    network_policy: networkPolicy,
    allow_hosts: [...allowHosts, ...missing],
    deny_hosts: denyHosts,
    allow_ips: allowIps,
    trust_host_certificates: trustHostCertificates
  }
}

/** Adds hosts to a policy, if one of them is missing. */
const grant = (hosts: ReadonlyArray<string>, { id, network }: WorkspaceInfo) =>
  Effect.gen(function*() {
    const pyro = yield* Pyro
    const policy = withHosts(hosts, network)
    if (policy === undefined) return
    yield* pyro.workspace.network.set(
      yield* decode(workspaceCreate.cli, NetworkSetPayload(), { workspace: id, ...policy })
    )
  })

/** Options that only a new workspace has. */
const ofNew = ["seedPath", "git", "environment", "name"] as const

/**
 * The agent's newest workspace of a project, if the person wants to continue there. Without a terminal pyro cannot ask: a note names the
 * workspace, and the run gets a new one.
 */
export const earlierWorkspace = (payload: AgentPayload, project: string, isOnce: boolean) =>
  Effect.gen(function*() {
    if (payload.new || ofNew.some((field) => payload[field] !== undefined)) return undefined
    const pyro = yield* Pyro
    const { stderrIsTerminal, stdin, stdinIsTerminal } = yield* Terminal
    const { workspaces } = yield* pyro.workspace.list({ labels: { agent: payload.agent } })
    const [newest] = workspaces.filter(({ project: of, state }) => of === project && state !== "failed")
      .sort((one, other) => other.createdAt.localeCompare(one.createdAt))
    if (newest === undefined) return undefined
    const name = newest.name ?? newest.id
    if (isOnce || !stdinIsTerminal || !stderrIsTerminal) {
      yield* note(
        `pyro: ${payload.agent} has the workspace ${name} of this project from an earlier run. To go on there: --workspace ${name}\n`
      )
      return undefined
    }
    yield* warn(`${payload.agent} has the workspace ${name} of this project from an earlier run. Go on there? [Y/n] `)
    const answer = yield* firstLine(stdin)
    return /^no?$/i.test(answer.trim()) ? undefined : newest.id
  })
