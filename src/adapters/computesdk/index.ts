import { defineProvider, type Provider, type RunCommandOptions, type SandboxInfo } from "@computesdk/provider"
import { connect, type CreateOptions, type PyroClient, type Workspace } from "pyro/promises"
import { urlOf } from "../shared/ports.ts"
import { createFields } from "./create-fields.ts"
import { runCommand } from "./run-command.ts"

/** What every sandbox of the provider is created with. Options of one `sandbox.create` win. */
export interface PyroConfig extends Omit<CreateOptions, "name" | "signal"> {
  /** Client of pyro. Default: `connect()`. */
  readonly client?: PyroClient | undefined
}

/** Marks the workspaces of this provider: `list` leaves out those that people have made. */
const OURS = { sandbox: "computesdk" }

/** Directories with more entries are an error, and no part of them. */
const LIMIT = 10_000

let shared: PyroClient | undefined
const clientOf = ({ client }: PyroConfig): PyroClient => client ?? (shared ??= connect())

const ofSandbox = (workspace: Workspace) => ({ sandbox: workspace, sandboxId: workspace.id })

/** Files belong to the user of the commands, and have that user's rights. */
const by = ({ info }: Workspace) => ({ user: info.workspaceUser })

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

const urlFor = (workspace: Workspace, { port, protocol }: { readonly port: number; readonly protocol?: string }) =>
  urlOf(workspace, port, protocol)

/**
 * Workspaces of pyro as sandboxes of ComputeSDK.
 *
 * @example
 * compute.setConfig({ provider: pyro({ environment: "debian:12" }) })
 * const sandbox = await compute.sandbox.create()
 */
export const pyro: (config: PyroConfig) => Provider<Workspace> = defineProvider<Workspace, PyroConfig>({
  name: "pyro",
  methods: {
    sandbox: {
      create: async (config, options = {}) => {
        const { client: _, ...defaults } = config
        const fields = createFields(defaults, options)
        return ofSandbox(await clientOf(config).create({ ...fields, labels: { ...fields.labels, ...OURS } }))
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
      getUrl: urlFor,
      getInstance: (workspace) => workspace,
      filesystem: {
        readFile: (workspace, path) => workspace.files.readText(path, by(workspace)),
        writeFile: async (workspace, path, content) => {
          await workspace.files.write(path, content, by(workspace))
        },
        mkdir: async (workspace, path) => {
          await workspace.files.mkdir(path, { ...by(workspace), parents: true })
        },
        readdir: async (workspace, path) => {
          const { entries, truncated } = await workspace.files.list(path, { ...by(workspace), limit: LIMIT })
          if (truncated) throw new Error(`${path} has more than ${LIMIT} entries: list it with runCommand.`)
          return entries.map(({ modifiedAt, path: entry, sizeBytes, type }) => ({
            name: entry.slice(entry.lastIndexOf("/") + 1),
            type: type === "directory" ? "directory" : "file",
            size: sizeBytes,
            ...(modifiedAt === undefined ? {} : { modified: new Date(modifiedAt) })
          }))
        },
        exists: (workspace, path) => workspace.files.exists(path, by(workspace)),
        remove: async (workspace, path) => {
          await workspace.files.remove(path, { ...by(workspace), recursive: true, ifExists: true })
        }
      }
    }
  }
})
