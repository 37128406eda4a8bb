import type { Experimental_SandboxProcess as SandboxProcess } from "ai"
import type { Workspace } from "pyro/promises"

/** A command of the AI SDK. */
export interface CommandOptions {
  readonly command: string
  /** Relative to the sandbox's own directory. Default: that directory. */
  readonly workingDirectory?: string
  readonly env?: Record<string, string>
  /** An abort kills the command. */
  readonly abortSignal?: AbortSignal
}

/** A process with an open stdin. */
export interface WritableProcess extends SandboxProcess {
  /** Input of the command. Its `close` ends the input. */
  readonly stdin: WritableStream<Uint8Array>
}

/** Starts a command with bash, whose abort kills it. */
export const spawnIn = async (
  workspace: Workspace,
  { abortSignal, command, env, stdin = false, workingDirectory }: CommandOptions & { readonly stdin?: boolean }
): Promise<SandboxProcess | WritableProcess> => {
  abortSignal?.throwIfAborted()
  const process = await workspace.spawn(command, {
    cwd: workingDirectory,
    env,
    signal: abortSignal,
    stdin: stdin ? "pipe" : "ignore"
  })
  const kill = async () => {
    await process.kill("SIGKILL")
  }
  const abort = () => void kill().catch(() => undefined)
  if (abortSignal?.aborted === true) abort()
  else abortSignal?.addEventListener("abort", abort, { once: true })
  return {
    ...(process.pid === null ? {} : { pid: process.pid }),
    ...(stdin ? { stdin: process.stdin as WritableStream<Uint8Array> } : {}),
    stdout: process.stdout,
    stderr: process.stderr,
    wait: async () => {
      const { status } = await process.wait()
      abortSignal?.throwIfAborted()
      return { exitCode: status }
    },
    kill
  }
}
