import type { SandboxCapabilities, SandboxHandle, SandboxProvider } from "@tanstack/ai-sandbox"
import { connect, type CreateOptions, type PyroClient, type Workspace } from "pyro/promises"
import { nameOf } from "../shared/names.ts"
import { createFrom } from "../shared/saved.ts"
import { capabilities, handleOf } from "./handle.ts"

/** Options of every sandbox of the provider. */
export interface PyroSandboxConfig extends Omit<CreateOptions, "name" | "signal"> {
  /** Client of pyro. Default: `connect()`. */
  readonly client?: PyroClient | undefined
}

type Policy = Parameters<SandboxProvider["create"]>[0]["policy"]
type Source = NonNullable<Parameters<SandboxProvider["create"]>[0]["workspace"]>["source"]

/** The network that a policy of TanStack allows or denies. `ask` leaves the provider's own. */
const networkOf = ({ networkPolicy }: PyroSandboxConfig, policy: Policy): CreateOptions => {
  const decision = policy?.capabilities?.network
  if (decision === "deny") return { networkPolicy: "off", allowHosts: [], allowIps: [] }
  return decision === "allow" && networkPolicy === undefined ? { networkPolicy: "egress" } : {}
}

/** A directory of the host that the provider has to bring. Repositories are cloned by TanStack, in the guest. */
const seedOf = (source: Source | undefined): CreateOptions => source?.type === "local" ? { seedPath: source.path } : {}

/** Ids that pyro makes. */
const OWN = /^ws-[0-9a-f]+$/

/**
 * Workspaces of pyro as sandboxes of TanStack AI.
 *
 * @example
 * const sandbox = defineSandbox({ id: "repo-agent", provider: pyroSandbox({ allowHosts: ["npm"] }) })
 */
export const pyroSandbox = (config: PyroSandboxConfig = {}): SandboxProvider => {
  const { client = connect(), ...defaults } = config
  /** Variables of each workspace, some of them secrets: no record on a disk has them. */
  const variables = new Map<string, Record<string, string>>()
  const handle = (
    workspace: Workspace,
    id = workspace.id,
    env: Readonly<Record<string, string>> = {}
  ): SandboxHandle => {
    const ofWorkspace = Object.assign(variables.get(workspace.id) ?? {}, env)
    variables.set(workspace.id, ofWorkspace)
    return handleOf({ workspace, id, env: ofWorkspace, fork: (made, was) => handle(made, undefined, was) })
  }
  const find = async (id: string, signal?: AbortSignal) =>
    (await client.get(nameOf("tanstack", id), { signal })) ?? (OWN.test(id) ? client.get(id, { signal }) : null)
  return {
    name: "pyro",
    capabilities: (): SandboxCapabilities => capabilities,
    create: async ({ env, id, policy, signal, workspace }) => {
      const options = { ...defaults, ...networkOf(config, policy), ...seedOf(workspace?.source), signal }
      const made = id === undefined
        ? await client.create(options)
        : await client.open(nameOf("tanstack", id), options)
      return handle(made, id, env)
    },
    resume: async ({ id, signal }) => {
      const found = await find(id, signal)
      if (found === null) return null
      // A start of a running workspace does nothing.
      await found.start({ signal })
      return handle(found, id)
    },
    restoreSnapshot: async ({ env, policy, signal, snapshotId }) => {
      const options = { ...defaults, ...networkOf(config, policy), signal }
      return handle(await createFrom(client, snapshotId, options), undefined, env)
    },
    destroy: async ({ id, signal }) => {
      const found = await find(id, signal)
      if (found === null) return
      variables.delete(found.id)
      await found.delete({ signal })
    }
  }
}
