import { Effect, Schema } from "effect"
import { invalidRequest } from "../contract/errors/issue.ts"
import type { PureSchema } from "../contract/rows/operation.ts"
import { secretTargetOf } from "../contract/rows/secret-target.ts"
import { socketOfCaller } from "../contract/rows/ssh-agent-fields.ts"
import { ExecPayload } from "../contract/rows/workspace-exec.ts"
import { CreatePayload } from "../contract/rows/workspace-lifecycle.ts"
import { NetworkSetPayload } from "../contract/rows/workspace-network.ts"
import { ServiceStartPayload } from "../contract/rows/workspace-service.ts"
import { named } from "../contract/text/names.ts"
import type { Definition, Service } from "./definition.ts"
import type { ProjectFile } from "./file.ts"

/** Label of a workspace that `pyro up` made, with the name of the file. */
const UP_LABEL = "up"

/** Values of secrets by name, as text: only a request may have them. */
export type SecretValues = Readonly<Record<string, string>>

export const decode = <S extends PureSchema>(schema: S, raw: Readonly<Record<string, unknown>>) =>
  Schema.decodeUnknownEffect(schema, { onExcessProperty: "error" })(present(raw)).pipe(
    Effect.mapError((error) => invalidRequest(error))
  )

/** Fields that have a value. */
const present = (raw: Readonly<Record<string, unknown>>) =>
  named(Object.entries(raw).filter(([, value]) => value !== undefined))

const networkOf = ({ network = {} }: Definition) => ({
  network_policy: network.policy,
  allow_hosts: network.allowHosts,
  deny_hosts: network.denyHosts,
  allow_ips: network.allowIps,
  trust_host_certificates: network.trustHostCertificates
})

/** Names of a file's secrets whose values commands can have: those without a host, and those that the file names for commands. */
export const commandNamesOf = ({ secretCommands = [], secretHttp = [], secrets = [] }: Definition) =>
  secrets.filter((name) =>
    secretCommands.includes(name) || !secretHttp.some((item) => secretTargetOf(item)?.name === name)
  )

/** The secrets of a file, and who gets their values: the file's present word replaces each earlier one. */
export const secretsOf = (definition: Definition, values: SecretValues) =>
  (definition.secrets ?? []).length === 0
    ? {}
    : { secrets: values, secret_http: definition.secretHttp, secret_commands: commandNamesOf(definition) }

/** The loan of the person's SSH agent that a file asks for. `variable` gives the variables of the person's environment. */
export const agentOf = ({ sshAgent }: Definition, variable: (name: string) => string | undefined) =>
  sshAgent === undefined ? {} : {
    ssh_agent: sshAgent.hosts,
    ssh_agent_ask: sshAgent.ask,
    ssh_agent_socket: variable(socketOfCaller.variable)
  }

/** The request for a project's new workspace. */
export const createRequest = (
  { definition, directory, path }: ProjectFile,
  { agent, devcontainer, environment, name, registries = [], values }: {
    readonly agent: ReturnType<typeof agentOf>
    readonly devcontainer?: string
    /** Registries that the files of the dev container may name. */
    readonly registries?: ReadonlyArray<string>
    readonly environment?: string
    readonly name: string
    readonly values: SecretValues
  }
) =>
  decode(CreatePayload(), {
    environment,
    devcontainer,
    allow_registries: registries.length === 0 ? undefined : registries,
    seed_path: directory,
    git: definition.seed?.git,
    include_ignored: definition.seed?.includeIgnored,
    workspace_user: definition.user,
    name,
    labels: { [UP_LABEL]: path.slice(directory.length + 1) },
    ttl_seconds: definition.ttl,
    pause_after_seconds: definition.pauseAfter,
    env: definition.env,
    cwd: definition.cwd,
    vcpu_count: definition.cpus,
    memory_mib: definition.memory,
    disk_mib: definition.disk,
    ...networkOf(definition),
    ...secretsOf(definition, values),
    ...agent
  })

/** The request for the network that a file grants, or for none. */
export const networkRequest = (workspace: string, definition: Definition) => {
  const policy = networkOf(definition)
  const grants = policy.network_policy !== undefined ||
    [...policy.allow_hosts ?? [], ...policy.allow_ips ?? []].length > 0
  return decode(NetworkSetPayload(), { workspace, ...policy, ...(grants ? {} : { network_policy: "off" }) })
}

/** The text of a setup command, and the secrets that it gets. */
export const setupOf = (setup: NonNullable<Definition["setup"]>[number]) =>
  typeof setup === "string" ? { run: setup, secrets: [] } : { run: setup.run, secrets: setup.secrets ?? [] }

export const setupRequest = (workspace: string, setup: NonNullable<Definition["setup"]>[number]) => {
  const { run, secrets } = setupOf(setup)
  return decode(ExecPayload(), {
    workspace,
    script: run,
    max_bytes: 0,
    secret_env: secrets.length === 0 ? undefined : secrets
  })
}

export const serviceRequest = (workspace: string, name: string, service: Service) =>
  decode(ServiceStartPayload(), {
    workspace,
    name,
    // Without a command, the image's own runs.
    ...(typeof service.command === "string" ? { script: service.command } : { command: service.command ?? [] }),
    ready_tcp: service.readyTcp,
    ready_http: service.readyHttp,
    ready_file: service.readyFile,
    ready_command: service.readyCommand,
    ready_timeout_seconds: service.readyTimeout,
    restart: service.restart,
    publish: service.ports,
    env: service.env,
    cwd: service.cwd,
    user: service.user,
    secret_env: service.secrets
  })
