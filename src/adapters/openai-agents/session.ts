import { type Editor, type ToolOutputImage, UserError } from "@openai/agents"
import {
  type ExecCommandArgs,
  type ExposedPortEndpoint,
  type ListDirectoryArgs,
  Manifest,
  type MaterializeEntryArgs,
  type ReadFileArgs,
  recordExposedPortEndpoint,
  type SandboxArchiveLimits,
  type SandboxDirectoryEntry,
  type SandboxExecResult,
  type SandboxSession,
  type SandboxSessionState,
  SandboxUnsupportedFeatureError,
  SandboxWorkspaceReadNotFoundError,
  type ViewImageArgs,
  type WorkspaceArchiveData,
  type WorkspaceArchiveOptions,
  WorkspacePathPolicy,
  type WriteStdinArgs
} from "@openai/agents/sandbox"
import { type Bytes, FileRefused, type Workspace } from "pyro/promises"
import { urlOf } from "../shared/ports.ts"
import { hydrate, persist } from "./archive.ts"
import { Commands } from "./commands.ts"
import { editorOf } from "./editor.ts"
import { materialize } from "./entries.ts"
import { fitting, imageType, told } from "./output.ts"

/** What a later program needs to go on with a session. */
export interface PyroSessionState extends SandboxSessionState {
  /** Id of the workspace. */
  readonly workspaceId: string
  /** Whether the end of a run keeps the workspace. */
  readonly pauseOnExit: boolean
  /** Variables of each command. */
  environment: Record<string, string>
}

const MAX_IMAGE_BYTES = 10 * 1024 * 1024

/** A workspace as a sandbox session of OpenAI's agents. */
export class PyroSession implements SandboxSession<PyroSessionState> {
  readonly state: PyroSessionState
  readonly #workspace: Workspace
  readonly #commands = new Commands()
  #limits: SandboxArchiveLimits | null | undefined

  constructor(workspace: Workspace, state: PyroSessionState, limits?: SandboxArchiveLimits | null) {
    this.#workspace = workspace
    this.state = state
    this.#limits = limits
  }

  /** The workspace itself, for what the SDK has no word for: snapshots, forks, the network, diff and patch. */
  get workspace(): Workspace {
    return this.#workspace
  }

  async running(): Promise<boolean> {
    return this.#workspace.status().then(({ state }) => state === "running", () => false)
  }

  async exec(args: ExecCommandArgs): Promise<SandboxExecResult> {
    const cwd = this.#pathOf(args.workdir)
    const result = await this.#commands.start(this.#workspace, args, {
      cwd,
      env: this.state.environment,
      user: args.runAs
    })
    return fitting(result, args.maxOutputTokens)
  }

  async execCommand(args: ExecCommandArgs): Promise<string> {
    return told(await this.exec(args))
  }

  supportsPty(): boolean {
    return true
  }

  async writeStdin(args: WriteStdinArgs): Promise<string> {
    return told(fitting(await this.#commands.write(args), args.maxOutputTokens))
  }

  createEditor(runAs?: string): Editor {
    return editorOf({
      files: this.#workspace.files,
      user: this.#userOf(runAs),
      pathOf: (path) => this.#pathOf(path, true),
      readText: async (path) => new TextDecoder().decode(await this.#read(path, runAs))
    })
  }

  async readFile({ maxBytes, path, runAs }: ReadFileArgs): Promise<Uint8Array> {
    return (await this.#read(path, runAs)).subarray(0, maxBytes)
  }

  async viewImage({ path, runAs }: ViewImageArgs): Promise<ToolOutputImage> {
    const data = await this.#read(path, runAs)
    if (data.length > MAX_IMAGE_BYTES) throw new UserError(`Image file exceeds the 10 MB limit: ${path}`)
    const mediaType = imageType(data)
    if (mediaType === undefined) throw new UserError(`Unsupported image format for view_image: ${path}`)
    return { type: "image", image: { data, mediaType } }
  }

  async listDir({ path, runAs }: ListDirectoryArgs): Promise<SandboxDirectoryEntry[]> {
    const { path: folder, workspaceRelativePath = folder } = this.#policy().resolve(path)
    const { entries } = await this.#workspace.files.list(folder, { limit: 10_000, user: this.#userOf(runAs) })
    return entries.map((entry) => {
      const name = entry.path.slice(entry.path.lastIndexOf("/") + 1)
      const type = entry.type === "file" ? "file" : entry.type === "directory" ? "dir" : "other"
      return { name, path: workspaceRelativePath === "" ? name : `${workspaceRelativePath}/${name}`, type }
    })
  }

  async pathExists(path: string, runAs?: string): Promise<boolean> {
    return this.#workspace.files.exists(this.#pathOf(path), { user: this.#userOf(runAs) })
  }

  async directoryExists(path: string, runAs?: string): Promise<boolean> {
    return (await this.#workspace.files.stat(this.#pathOf(path), { user: this.#userOf(runAs) }))?.type === "directory"
  }

  async materializeEntry({ entry, path, runAs }: MaterializeEntryArgs): Promise<void> {
    await this.applyManifest(new Manifest({ root: this.state.manifest.root, entries: { [path]: entry } }), runAs)
  }

  async applyManifest(manifest: Manifest, runAs?: string): Promise<void> {
    if (manifest.users.length + manifest.groups.length > 0) {
      throw new SandboxUnsupportedFeatureError(
        "pyro makes no users and groups of a manifest: name one of the environment's."
      )
    }
    const grants = [...this.state.manifest.extraPathGrants, ...manifest.extraPathGrants].map(({ path }) => path)
    const place = { workspace: this.#workspace, user: this.#userOf(runAs), grants }
    const entries = manifest.validatedEntries()
    for (const [path, entry] of Object.entries(entries)) await materialize(place, this.#pathOf(path, true), entry)
    Object.assign(this.state.environment, await manifest.resolveEnvironment())
    const { environment, extraPathGrants, root } = this.state.manifest
    this.state.manifest = new Manifest({
      root,
      entries: { ...this.state.manifest.entries, ...entries },
      environment: { ...environment, ...manifest.environment },
      extraPathGrants: [...extraPathGrants, ...manifest.extraPathGrants]
    })
  }

  async persistWorkspace(): Promise<Uint8Array> {
    return persist(this.#workspace, this.state.manifest)
  }

  async hydrateWorkspace(
    data: WorkspaceArchiveData,
    { archiveLimits = this.#limits }: WorkspaceArchiveOptions = {}
  ): Promise<void> {
    await hydrate(this.#workspace, this.state.manifest.root, data, archiveLimits)
  }

  setArchiveLimits(limits?: SandboxArchiveLimits | null): void {
    this.#limits = limits
  }

  async resolveExposedPort(port: number): Promise<ExposedPortEndpoint> {
    const url = new URL(await urlOf(this.#workspace, port))
    return recordExposedPortEndpoint(this.state, { host: url.hostname, port: Number(url.port), url: url.href }, port)
  }

  /** The end of a run, for a session that the run has made. With `pauseOnExit`, the workspace keeps its disk. */
  async delete(): Promise<void> {
    if (this.state.pauseOnExit) await this.#workspace.stop()
    else await this.#workspace.delete()
  }

  async close(): Promise<void> {
    await this.delete()
  }

  #userOf(runAs: string | undefined): string | undefined {
    return runAs ?? this.#workspace.info.workspaceUser
  }

  #policy(): WorkspacePathPolicy {
    const { extraPathGrants, root } = this.state.manifest
    return new WorkspacePathPolicy({ root, extraPathGrants })
  }

  #pathOf(path?: string, forWrite = false): string {
    return this.#policy().resolve(path, { forWrite }).path
  }

  async #read(path: string, runAs: string | undefined): Promise<Bytes> {
    return this.#workspace.files.read(this.#pathOf(path), { user: this.#userOf(runAs) }).catch((failure: unknown) => {
      if (!(failure instanceof FileRefused) || failure.reason !== "not_found") throw failure
      throw new SandboxWorkspaceReadNotFoundError(`File not found: ${path}`, { path })
    })
  }
}
