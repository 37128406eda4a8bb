import {
  type ExecCommandArgs,
  type SandboxExecResult,
  SandboxPtyError,
  SandboxPtySessionNotFoundError,
  type WriteStdinArgs
} from "@openai/agents/sandbox"
import type { ByteStream, Process, SpawnOptions, Workspace } from "pyro/promises"
import { textOf } from "../shared/text.ts"

const TERMINAL = { cols: 80, rows: 24 }

/** A command whose output is taken piece by piece, with its end if it has come. */
class Running {
  readonly #process: Process
  readonly #input: WritableStreamDefaultWriter<string | Uint8Array> | undefined
  readonly #done: Promise<void>
  readonly #texts = { stdout: "", stderr: "", output: "" }
  exitCode: number | undefined

  constructor(process: Process, hasTerminal: boolean) {
    this.#process = process
    this.#input = hasTerminal ? process.stdin.getWriter() : undefined
    this.#done = Promise.all([
      this.#collect("stdout", process.stdout),
      this.#collect("stderr", process.stderr),
      this.#collect("output", process.output)
    ]).then(() => process.wait()).then(({ status }) => {
      this.exitCode = status
    })
    // The next look gets the failure.
    this.#done.catch(() => undefined)
  }

  async #collect(from: "stdout" | "stderr" | "output", stream: ByteStream) {
    for await (const text of textOf(stream)) this.#texts[from] += text
  }

  async type(chars: string): Promise<void> {
    if (this.#input !== undefined) await this.#input.write(chars)
    else if (chars === "\u0003") await this.#process.kill("SIGINT", { to: "group" })
    else throw new SandboxPtyError("The command has no stdin. Start it again with tty=true to write to it.")
  }

  /** The output since the last look, after the end of the command or this time. */
  async look(afterMs: number): Promise<Pick<SandboxExecResult, "stdout" | "stderr" | "output">> {
    let timer: NodeJS.Timeout | undefined
    const passed = new Promise<void>((resolve) => (timer = setTimeout(resolve, afterMs)))
    await Promise.race([this.#done, passed]).finally(() => clearTimeout(timer))
    const texts = { ...this.#texts }
    Object.assign(this.#texts, { stdout: "", stderr: "", output: "" })
    return texts
  }
}

/** The commands of a session. One that runs longer than its caller waits gets a number. */
export class Commands {
  readonly #running = new Map<number, Running>()
  #last = 999

  /** Runs a command until it ends, or until its caller waits no longer. */
  async start(workspace: Workspace, args: ExecCommandArgs, options: SpawnOptions): Promise<SandboxExecResult> {
    const { cmd, login = false, shell = "/bin/bash", tty = false, yieldTimeMs = 10_000 } = args
    const stdin = tty ? { tty: TERMINAL } : { stdin: "ignore" as const }
    const process = await workspace.spawn([shell, login ? "-lc" : "-c", cmd], { ...options, ...stdin })
    const running = new Running(process, tty)
    const id = ++this.#last
    this.#running.set(id, running)
    return this.#look(id, running, yieldTimeMs)
  }

  /** Writes to a command that runs, and shows what it has printed since. */
  async write({ chars = "", sessionId, yieldTimeMs = 250 }: WriteStdinArgs): Promise<SandboxExecResult> {
    const running = this.#running.get(sessionId)
    if (running === undefined) {
      throw new SandboxPtySessionNotFoundError(`No command runs with session ID ${sessionId}.`, { sessionId })
    }
    if (chars !== "") await running.type(chars)
    return this.#look(sessionId, running, yieldTimeMs)
  }

  async #look(id: number, running: Running, afterMs: number): Promise<SandboxExecResult> {
    const startedAt = performance.now()
    const texts = await running.look(afterMs)
    const result = { ...texts, wallTimeSeconds: (performance.now() - startedAt) / 1000 }
    if (running.exitCode === undefined) return { ...result, sessionId: id }
    this.#running.delete(id)
    return { ...result, exitCode: running.exitCode }
  }
}
