import { formatExecResponse, mergeManifestDelta, truncateOutput } from "@openai/agents-core/sandbox/internal"
import {
  type ExecCommandArgs,
  type ExposedPortEndpoint,
  Manifest,
  type MaterializeEntryArgs,
  recordExposedPortEndpoint,
  type SandboxArchiveLimits,
  type SandboxExecResult,
  type SandboxSession,
  SandboxUnsupportedFeatureError,
  type WorkspaceArchiveData,
  type WorkspaceArchiveOptions,
  type WriteStdinArgs
} from "@openai/agents/sandbox"
import type { Workspace } from "pyro/promises"
import { hydrate, persist } from "./archive.ts"
import { Commands } from "./commands.ts"
import { materialize } from "./entries.ts"
import { type PyroSessionState, SessionFiles } from "./files.ts"

/** The result with output that fits. */
const fitting = (result: SandboxExecResult, maxTokens: number | undefined): SandboxExecResult => {
  const { originalTokenCount, text } = truncateOutput(result.output, maxTokens)
  return { ...result, output: text, ...(originalTokenCount === undefined ? {} : { originalTokenCount }) }
}

/** A workspace as a sandbox session of OpenAI's agents. */
export class PyroSession extends SessionFiles implements SandboxSession<PyroSessionState> {
  readonly #commands = new Commands()
  #limits: SandboxArchiveLimits | null | undefined

  constructor(workspace: Workspace, state: PyroSessionState, limits?: SandboxArchiveLimits | null) {
    super(workspace, state)
    this.#limits = limits
  }

  async running(): Promise<boolean> {
    return this.workspace.status().then(({ state }) => state === "running", () => false)
  }

  async exec(args: ExecCommandArgs): Promise<SandboxExecResult> {
    const cwd = this.pathOf(args.workdir)
    const result = await this.#commands.start(this.workspace, args, {
      cwd,
      env: this.state.environment,
      user: args.runAs
    })
    return fitting(result, args.maxOutputTokens)
  }

  async execCommand(args: ExecCommandArgs): Promise<string> {
    return formatExecResponse(await this.exec(args))
  }

  supportsPty(): boolean {
    return true
  }

  async writeStdin(args: WriteStdinArgs): Promise<string> {
    return formatExecResponse(fitting(await this.#commands.write(args), args.maxOutputTokens))
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
    const grants = [...this.state.manifest.extraPathGrants, ...manifest.extraPathGrants]
      .map(({ hostPath, path }) => hostPath ?? path)
    const place = { workspace: this.workspace, user: this.userOf(runAs), grants }
    const entries = manifest.validatedEntries()
    for (const [path, entry] of Object.entries(entries)) await materialize(place, this.pathOf(path, true), entry)
    Object.assign(this.state.environment, await manifest.resolveEnvironment())
    this.state.manifest = mergeManifestDelta(this.state.manifest, manifest)
  }

  async persistWorkspace(): Promise<Uint8Array> {
    return persist(this.workspace, this.state.manifest)
  }

  async hydrateWorkspace(
    data: WorkspaceArchiveData,
    { archiveLimits = this.#limits }: WorkspaceArchiveOptions = {}
  ): Promise<void> {
    await hydrate(this.workspace, this.state.manifest.root, data, archiveLimits)
  }

  setArchiveLimits(limits?: SandboxArchiveLimits | null): void {
    this.#limits = limits
  }

  async resolveExposedPort(port: number): Promise<ExposedPortEndpoint> {
    const url = new URL((await this.workspace.port(port)).url)
    return recordExposedPortEndpoint(this.state, { host: url.hostname, port: Number(url.port), url: url.href }, port)
  }

  /** The end of a run, for a session that the run has made. With `pauseOnExit`, the workspace keeps its memory and disk. */
  async delete(): Promise<void> {
    if (this.state.pauseOnExit) await this.workspace.pause()
    else await this.workspace.delete()
  }

  async close(): Promise<void> {
    await this.delete()
  }
}
