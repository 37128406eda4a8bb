import { defineProvider, type Provider, type RunCommandOptions, type SandboxInfo } from "@computesdk/provider"
import { randomUUID } from "node:crypto"
import { connect, type CreateOptions, type PyroClient, type SavedInfo, type Workspace } from "pyro/promises"
import { asOwner, entriesOf } from "../shared/files.ts"
import { createFrom } from "../shared/saved.ts"
import { createFields } from "./create-fields.ts"
import { runCommand } from "./run-command.ts"

/** Options of every sandbox of the provider. Options of one `sandbox.create` win. */
export interface PyroConfig extends Omit<CreateOptions, "name" | "signal"> {
  /** Client of pyro. Default: `connect()`. */
  readonly client?: PyroClient | undefined
}

/** Marks the workspaces of this provider: `list` leaves out those that people have made. */
const OURS = { sandbox: "computesdk" }

let shared: PyroClient | undefined
const clientOf = ({ client }: PyroConfig): PyroClient => client ?? (shared ??= connect())

const ofSandbox = (workspace: Workspace) => ({ sandbox: workspace, sandboxId: workspace.id })

const infoOf = async (workspace: Workspace): Promise<SandboxInfo> => {
  const { createdAt, environment, expiresAt, id, labels, lastActivityAt, name, state } = await workspace.status()
  return {
    id,
    provider: "pyro",
    status: state === "failed" ? "error" : state === "stopped" || state === "stopping" ? "stopped" : "running",
    createdAt: new Date(createdAt),
    timeout: expiresAt === undefined ? 0 : Date.parse(expiresAt) - Date.parse(lastActivityAt),
    metadata: { ...labels, environment, state, ...(name === undefined ? {} : { name }) }
  }
}

/** A saved snapshot as one of ComputeSDK, for the `snapshotId` of a create. */
export interface PyroSnapshot extends SavedInfo {
  readonly id: string
  readonly provider: "pyro"
}

const snapshotOf = (saved: SavedInfo): PyroSnapshot => ({ ...saved, id: saved.name, provider: "pyro" })

/**
 * Workspaces of pyro as sandboxes of ComputeSDK.
 *
 * @example
 * compute.setConfig({ provider: pyro({ environment: "debian:12" }) })
 * const sandbox = await compute.sandbox.create()
 */
export const pyro: (config: PyroConfig) => Provider<Workspace, never, PyroSnapshot> = defineProvider<
  Workspace,
  PyroConfig,
  never,
  PyroSnapshot
>({
  name: "pyro",
  methods: {
    sandbox: {
      create: async (config, options = {}) => {
        const { client: _, ...defaults } = config
        const asked = createFields(defaults, options)
        const fields = { ...asked, labels: { ...asked.labels, ...OURS } }
        const client = clientOf(config)
        const { snapshotId } = options
        return ofSandbox(
          await (snapshotId === undefined ? client.create(fields) : createFrom(client, snapshotId, fields))
        )
      },
      getById: async (config, id) => {
        const found = await clientOf(config).get(id)
        return found === null ? null : ofSandbox(found)
      },
      list: async (config) => (await clientOf(config).list({ labels: OURS })).map(ofSandbox),
      destroy: async (config, id) => {
        await (await clientOf(config).get(id))?.delete()
      },
      runCommand,
      streamCommand: (workspace: Workspace, command: string, options: RunCommandOptions) =>
        runCommand(workspace, command, options),
      getInfo: infoOf,
      getUrl: async (workspace, { port, protocol = "http" }) =>
        (await workspace.port(port)).url.replace(/^http/, protocol),
      getInstance: (workspace) => workspace,
      filesystem: {
        readFile: (workspace, path) => workspace.files.readText(path, asOwner(workspace)),
        writeFile: async (workspace, path, content) =>
          void await workspace.files.write(path, content, asOwner(workspace)),
        mkdir: async (workspace, path) =>
          void await workspace.files.mkdir(path, { ...asOwner(workspace), parents: true }),
        readdir: async (workspace, path) =>
          (await entriesOf(workspace, path)).map(({ modifiedAt, name, sizeBytes, type }) => ({
            name,
            type: type === "directory" ? "directory" : "file",
            size: sizeBytes,
            ...(modifiedAt === undefined ? {} : { modified: new Date(modifiedAt) })
          })),
        exists: (workspace, path) => workspace.files.exists(path, asOwner(workspace)),
        remove: async (workspace, path) =>
          void await workspace.files.remove(path, { ...asOwner(workspace), recursive: true, ifExists: true })
      }
    },
    snapshot: {
      create: async (config, sandboxId, { name = `computesdk-${randomUUID()}` } = {}) => {
        const workspace = await clientOf(config).get(sandboxId)
        if (workspace === null) throw new Error(`There is no sandbox ${sandboxId}.`)
        return snapshotOf(await workspace.save(name))
      },
      list: async (config, { limit, sandboxId } = {}) => {
        const client = clientOf(config)
        const from = sandboxId === undefined ? [] : [sandboxId, (await client.get(sandboxId))?.name]
        const all = (await client.saved.list()).filter((one) => sandboxId === undefined || from.includes(one.from))
        return all.slice(0, limit).map(snapshotOf)
      },
      delete: (config, id) => clientOf(config).saved.delete(id)
    }
  }
})
