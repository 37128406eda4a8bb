import {
  ProcessHandle,
  type ProcessInfo,
  SandboxProcessManager,
  type SpawnProcessOptions
} from "@mastra/core/workspace"
import type { ByteStream, Ended, Process, Workspace } from "pyro/promises"
import { textOf } from "../shared/text.ts"

type CommandResult = Awaited<ReturnType<ProcessHandle["wait"]>>

const eachText = async (stream: ByteStream, listener: (text: string) => void) => {
  for await (const text of textOf(stream)) listener(text)
}

/** A command of a workspace in Mastra's words. It reads its output from the start, also of a command that ran before. */
class PyroProcess extends ProcessHandle {
  readonly pid: string
  exitCode: number | undefined
  readonly #process: Process
  readonly #result: Promise<CommandResult>
  #stdin: WritableStreamDefaultWriter<string | Uint8Array> | undefined

  constructor(process: Process, pid: string, options: SpawnProcessOptions) {
    super(options)
    this.pid = pid
    this.#process = process
    const output = Promise.all([
      eachText(process.stdout, (text) => this.emitStdout(text)),
      eachText(process.stderr, (text) => this.emitStderr(text))
    ])
    this.#result = output.then(() => process.wait()).then((ended) => this.#resultOf(ended))
    // Who waits gets the failure. A program that never waits is not ended by it.
    this.#result.catch(() => undefined)
  }

  #resultOf({ durationMs, outcome, signal, status }: Ended): CommandResult {
    this.exitCode = status
    const facts = { success: status === 0, exitCode: status, executionTimeMs: durationMs }
    const how = { timedOut: outcome === "timed_out", killed: signal !== null }
    return { ...facts, ...how, stdout: this.stdout, stderr: this.stderr }
  }

  override wait(_options?: Parameters<ProcessHandle["wait"]>[0]): Promise<CommandResult> {
    return this.#result
  }

  async kill(): Promise<boolean> {
    return this.exitCode === undefined && await this.#process.kill("SIGKILL")
  }

  async sendStdin(data: string): Promise<void> {
    await this.#writer().write(data)
  }

  override async closeStdin(): Promise<void> {
    await this.#writer().close()
  }

  #writer() {
    if (this.exitCode !== undefined) throw new Error(`Process ${this.pid} has ended with exit code ${this.exitCode}.`)
    return this.#stdin ??= this.#process.stdin.getWriter()
  }
}

/** Variables without those that are undefined. */
const defined = (env: SpawnProcessOptions["env"]) =>
  Object.fromEntries(
    Object.entries(env ?? {}).flatMap(([name, value]) => value === undefined ? [] : [[name, value] as const])
  )

/** The commands of a workspace, by the process ids of the guest. */
export class PyroProcesses extends SandboxProcessManager {
  readonly #workspace: () => Workspace

  constructor(workspace: () => Workspace) {
    super()
    this.#workspace = workspace
  }

  #track(process: Process, options: SpawnProcessOptions): PyroProcess {
    const handle = new PyroProcess(process, String(process.pid ?? process.execId), options)
    this._tracked.set(handle.pid, handle)
    return handle
  }

  /** Starts a script. It ends with this program. */
  override async spawn(command: string, options: SpawnProcessOptions = {}): Promise<ProcessHandle> {
    const { cwd = this.sandbox.workingDirectory, env, stdinMode = "pipe", timeout } = options
    const process = await this.#workspace().spawn(command, {
      cwd,
      env: defined(env),
      stdin: stdinMode,
      timeoutMs: timeout
    })
    return this.#track(process, options)
  }

  /** Commands of this manager, and those that others have running in the workspace. */
  override async list(): Promise<ProcessInfo[]> {
    const own = [...this._tracked.values()].map(({ command, exitCode, pid }) => ({
      pid,
      running: exitCode === undefined,
      ...(command === undefined ? {} : { command }),
      ...(exitCode === undefined ? {} : { exitCode })
    }))
    const others = (await this.#running()).filter(({ pid }) => !this._tracked.has(pid))
    return [...own, ...others.map(({ command, pid }) => ({ pid, command, running: true }))]
  }

  override async get(pid: string): Promise<ProcessHandle | undefined> {
    const known = this._tracked.get(pid)
    if (known !== undefined) return known
    const other = (await this.#running()).find((one) => one.pid === String(pid))
    if (other === undefined) return undefined
    const handle = this.#track(await this.#workspace().attach(other.execId), {})
    handle.command = other.command
    return handle
  }

  async #running() {
    const commands = await this.#workspace().commands()
    return commands.flatMap(({ command, execId, outcome, pid }) =>
      outcome === "running" ? [{ execId, pid: String(pid ?? execId), command: command.join(" ") }] : []
    )
  }
}
