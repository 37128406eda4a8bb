import {
  MastraSandbox,
  type MastraSandboxOptions,
  type ProviderStatus,
  SandboxAbortError,
  type SandboxCloneOptions,
  type SandboxFileInput,
  type SandboxInfo,
  type SandboxNetworking,
  SandboxNotReadyError,
  validateSandboxFileMode,
  type WriteFilesOptions
} from "@mastra/core/workspace"
import { randomUUID } from "node:crypto"
import { connect, type CreateOptions, type PyroClient, type Workspace } from "pyro/promises"
import { asOwner } from "../shared/files.ts"
import { nameOf } from "../shared/names.ts"
import { PyroProcesses } from "./processes.ts"

/** Options of the workspace of a sandbox, Mastra's hooks, and its environment variables. */
export interface PyroSandboxOptions
  extends Omit<CreateOptions, "env" | "name" | "cwd" | "signal">, Omit<MastraSandboxOptions, "processes">
{
  /** Id of the sandbox. A start finds the workspace of the same id again. Default: a new one. */
  readonly id?: string
  /** Name or id of a workspace that exists, to use in place of the one that `id` names. Default: none. */
  readonly workspace?: string
  /** Client of pyro. Default: `connect()`. */
  readonly client?: PyroClient
  /** Text for an agent about the sandbox, in place of the default. */
  readonly instructions?: string
}

/** Options that a new workspace does not have. */
const OWN: ReadonlySet<string> = new Set(
  ["client", "env", "id", "instructions", "onDestroy", "onStart", "onStop", "workingDirectory", "workspace"]
)

/**
 * A workspace of pyro as a sandbox of Mastra.
 *
 * @example
 * const workspace = new Workspace({ sandbox: new PyroSandbox({ seedPath: "." }) })
 */
export class PyroSandbox extends MastraSandbox<Workspace> {
  readonly id: string
  readonly name = "PyroSandbox"
  readonly provider = "pyro"
  status: ProviderStatus = "pending"
  readonly #options: PyroSandboxOptions
  readonly #client: PyroClient
  readonly #madeAt = new Date()
  #workspace: Workspace | undefined

  constructor(options: PyroSandboxOptions = {}) {
    const { env = {}, workingDirectory = "/workspace" } = options
    const processes = new PyroProcesses(() => this.workspace)
    super({ ...options, name: "PyroSandbox", env, workingDirectory, processes })
    this.id = options.id ?? `pyro-${randomUUID()}`
    this.#options = options
    this.#client = options.client ?? connect()
  }

  /** The workspace itself, for what Mastra has no word for: snapshots, forks, the network, diff and patch. */
  get workspace(): Workspace {
    if (this.#workspace === undefined) throw new SandboxNotReadyError(this.id)
    return this.#workspace
  }

  /** Name of the workspace on the command line. */
  get workspaceName(): string {
    return nameOf("mastra", this.id)
  }

  protected override async find(): Promise<Workspace | undefined> {
    return await this.#client.get(this.#options.workspace ?? this.workspaceName) ?? undefined
  }

  protected override async connect(found: Workspace): Promise<void> {
    // A start of a running workspace does nothing.
    await found.start()
    this.#workspace = found
  }

  protected override async create(): Promise<void> {
    if (this.#options.workspace !== undefined) {
      throw new Error(`workspace: there is no ${this.#options.workspace}. Create it first, or leave the option out.`)
    }
    const fields = Object.entries(this.#options).filter(([name]) => !OWN.has(name))
    this.#workspace = await this.#client.create({ ...Object.fromEntries(fields), name: this.workspaceName })
  }

  /** Ends the microVM. The next use starts it again from its disk. */
  override async stop(): Promise<void> {
    await (await this.find())?.stop()
    this.#workspace = undefined
    this.status = "stopped"
  }

  /** Deletes the workspace of this id, also one of an earlier program. */
  override async destroy(): Promise<void> {
    await (await this.find())?.delete()
    this.#workspace = undefined
    this.status = "destroyed"
  }

  isReady(): boolean {
    return this.status === "running"
  }

  override async getInfo(): Promise<SandboxInfo> {
    const info = await this.#workspace?.status()
    const facts = { id: this.id, name: this.name, provider: this.provider, status: this.status }
    if (info === undefined) return { ...facts, createdAt: this.#madeAt }
    return {
      ...facts,
      createdAt: new Date(info.createdAt),
      lastUsedAt: new Date(info.lastActivityAt),
      ...(info.expiresAt === undefined ? {} : { timeoutAt: new Date(info.expiresAt) }),
      resources: { memoryMB: info.memoryMib, cpuCores: info.vcpuCount, diskMB: info.diskMib },
      metadata: { workspace: info.id, environment: info.environment, labels: info.labels }
    }
  }

  override getInstructions(): string {
    return this.#options.instructions ??
      `A Linux microVM of its own. Commands are scripts of bash and begin in ${this.workingDirectory}. ` +
        `The network is ${this.#options.networkPolicy ?? (this.#options.allowHosts ? "limited to some hosts" : "off")}.`
  }

  /** Ports of the guest on this host. */
  override readonly networking: SandboxNetworking = {
    getPortUrl: async (port) => (await this.#workspace?.port(port))?.url ?? null
  }

  /** Writes files and their parent directories, as the user of the commands. */
  override async writeFiles(files: SandboxFileInput[], { abortSignal: signal }: WriteFilesOptions = {}): Promise<void> {
    for (const { mode } of files) if (mode !== undefined) validateSandboxFileMode(mode)
    await this.ensureRunning()
    const { files: those } = this.workspace
    try {
      for (const { content, mode, path } of files) {
        signal?.throwIfAborted()
        await those.write(path, content, { ...asOwner(this.workspace), mode: mode?.toString(8), signal })
      }
    } catch (failure) {
      if (signal?.aborted === true) throw new SandboxAbortError("writeFiles")
      throw failure
    }
  }

  /** A sandbox with the same options and an id of its own. Its first use makes its workspace. */
  clone({ env, id, idleTimeoutMinutes, sandboxId, workingDirectory }: SandboxCloneOptions = {}): PyroSandbox {
    const { id: _, workspace: __, ...options } = this.#options
    return new PyroSandbox({
      ...options,
      ...(id === undefined ? {} : { id }),
      ...(sandboxId === undefined ? {} : { workspace: sandboxId }),
      ...(env === undefined ? {} : { env: { ...options.env, ...env } }),
      ...(workingDirectory === undefined ? {} : { workingDirectory }),
      ...(idleTimeoutMinutes === undefined ? {} : { ttlMs: idleTimeoutMinutes * 60_000 })
    })
  }
}
