import type { Experimental_SandboxProcess as SandboxProcess, Experimental_SandboxSession as SandboxSession } from "ai"
import { posix } from "node:path"
import { type Bytes, FileRefused, type Workspace } from "pyro/promises"
import { asOwner, entriesOf } from "../shared/files.ts"
import { ALL_OUTPUT } from "../shared/text.ts"

type Options<Method extends keyof SandboxSession> = SandboxSession[Method] extends (options: infer One) => unknown ? One
  : never
type PathOptions = Options<"readFile">
type SpawnOptions = Options<"run"> & { readonly stdin?: boolean }
type WritableProcess = SandboxProcess & { readonly stdin: WritableStream<Uint8Array> }
type OtherType = "file" | "directory" | "other"

const typeOf = (type: string): OtherType => type === "file" || type === "directory" ? type : "other"

const absent = (failure: unknown): null => {
  if (failure instanceof FileRefused && failure.reason === "not_found") return null
  throw failure
}

/** Lines of a text, from 1. The first line ending of the text that is CRLF, LF or CR, in this order, counts as its own. */
const linesOf = (text: string, startLine: number, endLine: number | undefined): string => {
  const ending = ["\r\n", "\n", "\r"].find((one) => text.includes(one)) ?? "\n"
  return text.split(ending).slice(Math.max(1, startLine) - 1, endLine).join(ending)
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
    return `pyro workspace ${id}: a Linux microVM of its own (${environment}).\n` +
      `Commands run with bash in ${this.defaultWorkingDirectory}. Files and processes stay until the workspace is deleted.`
  }

  /** Content of a file, piece by piece. Null if there is none. */
  async readFile(options: PathOptions): Promise<ReadableStream<Uint8Array> | null> {
    const [path, by] = this.#at(options)
    return await this.workspace.files.exists(path, by) ? this.workspace.files.stream(path, by) : null
  }

  /** Content of a file. Null if there is none. */
  async readBinaryFile(options: PathOptions): Promise<Uint8Array | null> {
    return this.workspace.files.read(...this.#at(options)).catch(absent)
  }

  /** Text of a file, or lines of it. `encoding` is one of Node's `Buffer`, by default `utf-8`. Null if there is none. */
  async readTextFile(
    { encoding = "utf-8", endLine, startLine = 1, ...options }: Options<"readTextFile">
  ): Promise<string | null> {
    const bytes = await this.readBinaryFile(options)
    return bytes && linesOf(Buffer.from(bytes).toString(encoding as BufferEncoding), startLine, endLine)
  }

  /** Creates or replaces a file and its parent directories. */
  async writeFile({ content, ...options }: Options<"writeFile">): Promise<void> {
    const [path, by] = this.#at(options)
    await this.workspace.files.write(path, content as ReadableStream<Bytes> & AsyncIterable<Bytes>, by)
  }

  /** Creates or replaces a file and its parent directories. */
  async writeBinaryFile({ content, ...options }: Options<"writeBinaryFile">): Promise<void> {
    const [path, by] = this.#at(options)
    await this.workspace.files.write(path, content, by)
  }

  /** Creates or replaces a file and its parent directories. `encoding` is one of Node's `Buffer`, by default `utf-8`. */
  async writeTextFile({ content, encoding = "utf-8", ...options }: Options<"writeTextFile">): Promise<void> {
    await this.writeBinaryFile({ ...options, content: Buffer.from(content, encoding as BufferEncoding) })
  }

  /** Type and size of a file or a directory, whose links are followed. Null if there is none. */
  async stat(options: PathOptions): Promise<{ type: OtherType; size: number } | null> {
    const found = await this.workspace.files.stat(...this.#at(options))
    return found && { type: typeOf(found.type), size: found.sizeBytes }
  }

  /** Entries of a directory. Null if there is none. */
  async listDirectory(options: PathOptions): Promise<Array<{ name: string; type: OtherType | "symlink" }> | null> {
    const found = await entriesOf(this.workspace, ...this.#at(options)).catch(absent)
    return found && found.map(({ name, type }) => ({ name, type: type === "symlink" ? type : typeOf(type) }))
  }

  /** Deletes a file or a link. False if there is none. */
  async deleteFile(options: PathOptions): Promise<boolean> {
    const [path, by] = this.#at(options)
    const found = await this.workspace.files.stat(path, { ...by, noFollow: true })
    if (found?.type === "directory") throw new Error(`${path} is a directory.`)
    return this.workspace.files.remove(path, { ...by, ifExists: true })
  }

  /** Runs a command with bash to its end. Resolves for any exit code. */
  async run(
    { command, env, ...options }: Options<"run">
  ): Promise<{ exitCode: number; stdout: string; stderr: string }> {
    const [cwd, { signal }] = this.#at({ ...options, path: options.workingDirectory ?? "." })
    const ended = await this.workspace.exec(command, { cwd, env, signal, ...ALL_OUTPUT })
    return { exitCode: ended.status, stdout: ended.stdout, stderr: ended.stderr }
  }

  /** Starts a command with bash. An abort kills the command, and rejects its `wait`. */
  spawn(options: SpawnOptions & { readonly stdin: true }): Promise<WritableProcess>
  spawn(options: SpawnOptions & { readonly stdin?: false }): Promise<SandboxProcess>
  spawn(options: SpawnOptions): Promise<SandboxProcess | WritableProcess>
  async spawn({ command, env, stdin = false, ...options }: SpawnOptions): Promise<SandboxProcess | WritableProcess> {
    const [cwd, { signal }] = this.#at({ ...options, path: options.workingDirectory ?? "." })
    const process = await this.workspace.spawn(command, { cwd, env, signal, stdin: stdin ? "pipe" : "ignore" })
    return {
      ...(process.pid === null ? {} : { pid: process.pid }),
      ...(stdin ? { stdin: process.stdin as WritableStream<Uint8Array> } : {}),
      stdout: process.stdout,
      stderr: process.stderr,
      wait: async () => {
        const { status } = await process.wait()
        signal?.throwIfAborted()
        return { exitCode: status }
      },
      kill: async () => {
        await process.kill("SIGKILL")
      }
    }
  }

  #at({ abortSignal: signal, path }: PathOptions) {
    signal?.throwIfAborted()
    return [posix.resolve(this.defaultWorkingDirectory, path), { ...asOwner(this.workspace), signal }] as const
  }
}
