import { type Editor, type ToolOutputImage, UserError } from "@openai/agents"
import {
  type ListDirectoryArgs,
  type ReadFileArgs,
  type SandboxDirectoryEntry,
  type SandboxSessionState,
  SandboxWorkspaceReadNotFoundError,
  type ViewImageArgs,
  WorkspacePathPolicy
} from "@openai/agents/sandbox"
import { type Bytes, FileRefused, type Workspace } from "pyro/promises"
import { editorOf } from "./editor.ts"
import { imageType } from "./output.ts"

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
    const data = await this.#read(path, runAs)
    if (data.length > MAX_IMAGE_BYTES) throw new UserError(`Image file exceeds the 10 MB limit: ${path}`)
    const mediaType = imageType(data)
    if (mediaType === undefined) throw new UserError(`Unsupported image format for view_image: ${path}`)
    return { type: "image", image: { data, mediaType } }
  }

  async listDir({ path, runAs }: ListDirectoryArgs): Promise<SandboxDirectoryEntry[]> {
    const { path: folder, workspaceRelativePath = folder } = this.policy().resolve(path)
    const { entries } = await this.workspace.files.list(folder, { limit: 10_000, user: this.userOf(runAs) })
    return entries.map((entry) => {
      const name = entry.path.slice(entry.path.lastIndexOf("/") + 1)
      const type = entry.type === "file" ? "file" : entry.type === "directory" ? "dir" : "other"
      return { name, path: workspaceRelativePath === "" ? name : `${workspaceRelativePath}/${name}`, type }
    })
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
