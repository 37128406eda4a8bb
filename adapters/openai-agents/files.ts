import type { Editor, ToolOutputImage } from "@openai/agents"
import { imageOutputFromBytes } from "@openai/agents-core/sandbox/internal"
import {
  type ListDirectoryArgs,
  type ReadFileArgs,
  type SandboxDirectoryEntry,
  type SandboxSessionState,
  SandboxWorkspaceReadNotFoundError,
  type ViewImageArgs,
  WorkspacePathPolicy
} from "@openai/agents/sandbox"
import { posix } from "node:path"
import { type Bytes, FileRefused, type Workspace } from "pyro/promises"
import { entriesOf } from "../shared/files.ts"
import { editorOf } from "./editor.ts"

/** State that a later program needs to go on with a session. */
export interface PyroSessionState extends SandboxSessionState {
  /** Id of the workspace. */
  readonly workspaceId: string
  /** Whether the end of a run keeps the workspace. */
  readonly pauseOnExit: boolean
  /** Variables of each command. */
  environment: Record<string, string>
}

/** The files of a session, at the paths that its manifest allows. */
export class SessionFiles {
  readonly state: PyroSessionState
  /** The workspace itself, for what the SDK has no word for: snapshots, forks, the network, diff and patch. */
  readonly workspace: Workspace

  constructor(workspace: Workspace, state: PyroSessionState) {
    this.workspace = workspace
    this.state = state
  }

  createEditor(runAs?: string): Editor {
    return editorOf({
      files: this.workspace.files,
      user: this.userOf(runAs),
      pathOf: (path) => this.pathOf(path, true),
      readText: async (path) => new TextDecoder().decode(await this.#read(path, runAs))
    })
  }

  async readFile({ maxBytes, path, runAs }: ReadFileArgs): Promise<Uint8Array> {
    return (await this.#read(path, runAs)).subarray(0, maxBytes)
  }

  async viewImage({ path, runAs }: ViewImageArgs): Promise<ToolOutputImage> {
    return imageOutputFromBytes(path, await this.#read(path, runAs))
  }

  async listDir({ path, runAs }: ListDirectoryArgs): Promise<SandboxDirectoryEntry[]> {
    const { path: folder, workspaceRelativePath = folder } = this.policy().resolve(path)
    const entries = await entriesOf(this.workspace, folder, { user: this.userOf(runAs) })
    return entries.map(({ name, type }) => ({
      name,
      path: posix.join(workspaceRelativePath, name),
      type: type === "directory" ? "dir" : type === "file" ? type : "other"
    }))
  }

  async pathExists(path: string, runAs?: string): Promise<boolean> {
    return this.workspace.files.exists(this.pathOf(path), { user: this.userOf(runAs) })
  }

  async directoryExists(path: string, runAs?: string): Promise<boolean> {
    return (await this.workspace.files.stat(this.pathOf(path), { user: this.userOf(runAs) }))?.type === "directory"
  }

  protected userOf(runAs: string | undefined): string | undefined {
    return runAs ?? this.workspace.info.workspaceUser
  }

  protected policy(): WorkspacePathPolicy {
    const { extraPathGrants, root } = this.state.manifest
    return new WorkspacePathPolicy({ root, extraPathGrants })
  }

  protected pathOf(path?: string, forWrite = false): string {
    return this.policy().resolve(path, { forWrite }).path
  }

  async #read(path: string, runAs: string | undefined): Promise<Bytes> {
    return this.workspace.files.read(this.pathOf(path), { user: this.userOf(runAs) }).catch((failure: unknown) => {
      if (!(failure instanceof FileRefused) || failure.reason !== "not_found") throw failure
      throw new SandboxWorkspaceReadNotFoundError(`File not found: ${path}`, { path })
    })
  }
}
