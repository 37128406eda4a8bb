import {
  BaseSandbox,
  type ExecuteResponse,
  type FileDownloadResponse,
  type FileOperationError,
  type FileUploadResponse,
  SandboxError
} from "deepagents"
import { connect, type CreateOptions, FileRefused, type PyroClient, type Workspace } from "pyro/promises"
import { asOwner } from "../shared/files.ts"

/** Where a sandbox's workspace comes from, and how its commands run. */
export interface PyroSandboxOptions extends CreateOptions {
  /** Client of pyro. Default: `connect()`. */
  readonly client?: PyroClient | undefined
  /** Files to write before the first command, by path. Default: none. */
  readonly initialFiles?: Readonly<Record<string, string | Uint8Array>> | undefined
  /** Time until a command is ended, with exit code 124, in ms. Default: 1800000. */
  readonly timeoutMs?: number | undefined
  /** Maximum bytes of a command's output in its answer. The middle of longer output is left out. Default: 1048576. */
  readonly maxOutputBytes?: number | undefined
}

/**
 * A workspace of pyro as the backend of a deep agent. Relative paths are relative to /workspace.
 *
 * @example
 * await using sandbox = await PyroSandbox.create({ seedPath: "." })
 * const agent = createDeepAgent({ model, backend: sandbox })
 */
export class PyroSandbox extends BaseSandbox implements AsyncDisposable {
  readonly #options: PyroSandboxOptions
  #workspace: Workspace | undefined
  #id = ""

  /** A sandbox that has no workspace before `initialize`. */
  constructor(options: PyroSandboxOptions = {}) {
    super()
    this.#options = options
  }

  /** A sandbox with a new workspace. */
  static async create(options?: PyroSandboxOptions): Promise<PyroSandbox> {
    const sandbox = new PyroSandbox(options)
    await sandbox.initialize()
    return sandbox
  }

  /** The sandbox of a workspace that exists, by its id or name. A stopped workspace is started. */
  static async fromId(id: string, options: PyroSandboxOptions = {}): Promise<PyroSandbox> {
    const found = await (options.client ?? connect()).get(id)
    if (found === null) throw new SandboxError(`There is no workspace ${id}.`, "NOT_INITIALIZED")
    // A start of a running workspace does nothing.
    await found.start()
    return PyroSandbox.fromWorkspace(found, options)
  }

  /** The sandbox of a workspace that the program has. */
  static fromWorkspace(workspace: Workspace, options?: PyroSandboxOptions): PyroSandbox {
    const sandbox = new PyroSandbox(options)
    sandbox.#workspace = workspace
    sandbox.#id = workspace.id
    return sandbox
  }

  /** Id of the workspace. Empty before `initialize`, and kept after `close`. */
  get id(): string {
    return this.#id
  }

  /** Whether the sandbox has a workspace. */
  get isRunning(): boolean {
    return this.#workspace !== undefined
  }

  /** The workspace itself, for what deep agents have no word for: ports, the network, snapshots, forks. */
  get workspace(): Workspace {
    if (this.#workspace !== undefined) return this.#workspace
    throw new SandboxError("The sandbox has no workspace: call initialize() first.", "NOT_INITIALIZED")
  }

  /** Creates the workspace, and writes the initial files. */
  async initialize(): Promise<void> {
    if (this.#workspace !== undefined) {
      throw new SandboxError("The sandbox has a workspace already.", "ALREADY_INITIALIZED")
    }
    const { client = connect(), initialFiles = {}, maxOutputBytes: _, timeoutMs: __, ...create } = this.#options
    const workspace = await client.create(create)
    const pieces = Object.entries(initialFiles).map(([path, content]) =>
      workspace.files.write(path, content, asOwner(workspace))
    )
    await Promise.all(pieces).catch(async (cause: Error) => {
      await workspace.delete()
      throw new SandboxError(`An initial file was not written: ${cause.message}`, "FILE_OPERATION_FAILED", cause)
    })
    this.#workspace = workspace
    this.#id = workspace.id
  }

  /** Runs a script. A command that pyro could not run rejects; any exit code of a command resolves. */
  async execute(command: string): Promise<ExecuteResponse> {
    const { maxOutputBytes, timeoutMs = 1_800_000 } = this.#options
    const { output, status, truncated } = await this.workspace.exec(command, { timeoutMs, maxBytes: maxOutputBytes })
    return { output, exitCode: status, truncated }
  }

  /** Writes files and their parent directories, as the workspace's user. */
  uploadFiles(files: Array<[string, Uint8Array]>): Promise<FileUploadResponse[]> {
    const { files: those } = this.workspace
    return Promise.all(files.map(async ([path, content]) => ({
      path,
      error: await those.write(path, content, asOwner(this.workspace)).then(() => null, codeOf)
    })))
  }

  /** Reads files. */
  downloadFiles(paths: string[]): Promise<FileDownloadResponse[]> {
    const { files } = this.workspace
    return Promise.all(paths.map((path) =>
      files.read(path, asOwner(this.workspace)).then(
        (content) => ({ path, content, error: null }),
        (failure: unknown) => ({ path, content: null, error: codeOf(failure) })
      )
    ))
  }

  /** Deletes the workspace. Does nothing if it is gone. */
  async close(): Promise<void> {
    const workspace = this.#workspace
    this.#workspace = undefined
    await workspace?.delete()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }
}

/** The name that deep agents use for a refusal. Any other failure is a failure of pyro. */
const codeOf = (failure: unknown): FileOperationError => {
  if (!(failure instanceof FileRefused)) throw failure
  if (failure.reason === "not_found") return "file_not_found"
  if (failure.reason === "permission" || failure.reason === "read_only") return "permission_denied"
  return failure.reason === "is_a_directory" ? "is_directory" : "invalid_path"
}
