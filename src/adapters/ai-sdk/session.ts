import type { Experimental_SandboxProcess as SandboxProcess, Experimental_SandboxSession as SandboxSession } from "ai"
import { posix } from "node:path"
import { type Bytes, type FileEntry, FileRefused, type Workspace } from "pyro/promises"
import { linesOf } from "./lines.ts"
import { type CommandOptions, spawnIn, type WritableProcess } from "./process.ts"

/** The most output that pyro gives at once, in bytes: the AI SDK has no word for output that is left out. */
const MAX_BYTES = 67_108_864

/** Directories with more entries are an error, and no part of them. */
const LIMIT = 10_000

/** A file of the sandbox. */
export interface PathOptions {
  readonly path: string
  readonly abortSignal?: AbortSignal
}

/** Lines of a file. */
export interface ReadTextOptions extends PathOptions {
  /** Encoding of Node's `Buffer`. Default: `utf-8`. */
  readonly encoding?: string
  /** First line, from 1. Default: 1. */
  readonly startLine?: number
  /** Last line. Default: the last of the file. */
  readonly endLine?: number
}

/** New content of a file. */
export interface WriteOptions<Content> extends PathOptions {
  readonly content: Content
}

const typeOf = (type: FileEntry["type"]) =>
  type === "file" || type === "directory" || type === "symlink" ? type : "other"

const absent = (failure: unknown): null => {
  if (failure instanceof FileRefused && failure.reason === "not_found") return null
  throw failure
}

/**
 * A workspace as the sandbox of tools: files and commands, and nothing that ends it or changes its network. Relative paths are relative to the
 * directory of its commands.
 *
 * @example
 * await using ws = await pyro.create({ seedPath: "." })
 * await generateText({ model, tools, prompt, experimental_sandbox: new PyroSandboxSession(ws) })
 */
export class PyroSandboxSession implements SandboxSession {
  /** The workspace of the session. */
  protected readonly workspace: Workspace
  /** Directory that relative paths begin in. */
  readonly defaultWorkingDirectory: string

  constructor(workspace: Workspace) {
    this.workspace = workspace
    this.defaultWorkingDirectory = posix.resolve("/workspace", workspace.info.cwd ?? ".")
  }

  /** Words for the instructions of an agent. */
  get description(): string {
    const { environment, id } = this.workspace.info
    return [
      `pyro workspace ${id}: a Linux microVM of its own (${environment}).`,
      `Commands run with bash in ${this.defaultWorkingDirectory}. Files and processes stay until the workspace is deleted.`
    ].join("\n")
  }

  /** Content of a file, piece by piece. Null if there is none. */
  async readFile(options: PathOptions): Promise<ReadableStream<Uint8Array> | null> {
    const [path, by] = this.#at(options)
    return await this.workspace.files.exists(path, by) ? this.workspace.files.stream(path, by) : null
  }

  /** Content of a file. Null if there is none. */
  async readBinaryFile(options: PathOptions): Promise<Uint8Array | null> {
    const [path, by] = this.#at(options)
    return this.workspace.files.read(path, by).catch(absent)
  }

  /** Lines of a file as text. Null if there is none. */
  async readTextFile({ encoding = "utf-8", endLine, startLine, ...options }: ReadTextOptions): Promise<string | null> {
    const bytes = await this.readBinaryFile(options)
    return bytes === null
      ? null
      : linesOf(Buffer.from(bytes).toString(encoding as BufferEncoding), { startLine, endLine })
  }

  /** Creates or replaces a file and its parent directories. */
  async writeFile({ content, ...options }: WriteOptions<ReadableStream<Uint8Array>>): Promise<void> {
    options.abortSignal?.throwIfAborted()
    const all = await new Response(content as ReadableStream<Bytes>).arrayBuffer()
    await this.writeBinaryFile({ ...options, content: new Uint8Array(all) })
  }

  /** Creates or replaces a file and its parent directories. */
  async writeBinaryFile({ content, ...options }: WriteOptions<Uint8Array>): Promise<void> {
    const [path, by] = this.#at(options)
    await this.workspace.files.write(path, content, by)
  }

  /** Creates or replaces a file and its parent directories. `encoding` is one of Node's `Buffer`, by default `utf-8`. */
  writeTextFile(
    { content, encoding = "utf-8", ...options }: WriteOptions<string> & { readonly encoding?: string }
  ): Promise<void> {
    return this.writeBinaryFile({ ...options, content: Buffer.from(content, encoding as BufferEncoding) })
  }

  /** Type and size of a file or a directory, whose links are followed. Null if there is none. */
  async stat(options: PathOptions): Promise<{ type: "file" | "directory" | "other"; size: number } | null> {
    const found = await this.workspace.files.stat(...this.#at(options))
    if (found === null) return null
    return { type: found.type === "file" || found.type === "directory" ? found.type : "other", size: found.sizeBytes }
  }

  /** Entries of a directory. Null if there is none. */
  async listDirectory(
    options: PathOptions
  ): Promise<Array<{ name: string; type: "file" | "directory" | "symlink" | "other" }> | null> {
    const [path, by] = this.#at(options)
    const found = await this.workspace.files.list(path, { ...by, limit: LIMIT }).catch(absent)
    if (found?.truncated === true) throw new Error(`${path} has more than ${LIMIT} entries: list it by a command.`)
    return found === null
      ? null
      : found.entries.map((entry) => ({ name: posix.basename(entry.path), type: typeOf(entry.type) }))
  }

  /** Deletes a file or a link. False if there is none. */
  async deleteFile(options: PathOptions): Promise<boolean> {
    const [path, by] = this.#at(options)
    if ((await this.workspace.files.stat(path, { ...by, noFollow: true }))?.type === "directory") {
      throw new Error(`${path} is a directory.`)
    }
    return this.workspace.files.remove(path, { ...by, ifExists: true })
  }

  /** Runs a command with bash to its end. Resolves for any exit code. */
  async run(options: CommandOptions): Promise<{ exitCode: number; stdout: string; stderr: string }> {
    const { abortSignal, command, env } = options
    abortSignal?.throwIfAborted()
    const fields = {
      cwd: this.#resolve(options.workingDirectory ?? "."),
      env,
      signal: abortSignal,
      maxBytes: MAX_BYTES
    }
    const { status, stderr, stdout } = await this.workspace.exec(command, fields)
    return { exitCode: status, stdout, stderr }
  }

  /** Starts a command with bash. An abort kills the command, and rejects its `wait`. */
  spawn(options: CommandOptions & { readonly stdin: true }): Promise<WritableProcess>
  spawn(options: CommandOptions & { readonly stdin?: false }): Promise<SandboxProcess>
  spawn(options: CommandOptions & { readonly stdin?: boolean }): Promise<SandboxProcess | WritableProcess>
  spawn(options: CommandOptions & { readonly stdin?: boolean }): Promise<SandboxProcess | WritableProcess> {
    return spawnIn(this.workspace, { ...options, workingDirectory: this.#resolve(options.workingDirectory ?? ".") })
  }

  #resolve(path: string): string {
    return posix.resolve(this.defaultWorkingDirectory, path)
  }

  /** Files belong to the user of the commands, and have that user's rights. */
  #at(
    { abortSignal, path }: PathOptions
  ): [string, { readonly user: string | undefined; readonly signal: AbortSignal | undefined }] {
    abortSignal?.throwIfAborted()
    return [this.#resolve(path), { user: this.workspace.info.workspaceUser, signal: abortSignal }]
  }
}
