import type { SandboxProcess, SpawnHandle } from "@tanstack/ai-sandbox"
import { constants } from "node:os"
import type { ByteStream, Process, Workspace } from "pyro/promises"

/** The most output that pyro gives at once, in bytes: TanStack has no word for output that is left out. */
const MAX_BYTES = 67_108_864

/** Text of a stream. A character may come in two pieces. */
async function* textOf(stream: ByteStream): AsyncGenerator<string> {
  const decoder = new TextDecoder()
  for await (const bytes of stream) {
    const text = decoder.decode(bytes, { stream: true })
    if (text !== "") yield text
  }
  const rest = decoder.decode()
  if (rest !== "") yield rest
}

const nameOfSignal = (signal: string | number): string =>
  typeof signal === "string"
    ? signal
    : Object.entries(constants.signals).find(([, number]) => number === signal)?.[0] ?? String(signal)

const spawned = (process: Process): SpawnHandle => {
  const stdin = process.stdin.getWriter()
  return {
    // A command that has a handle has been started.
    pid: process.pid ?? -1,
    stdout: textOf(process.stdout),
    stderr: textOf(process.stderr),
    stdin: { write: (data) => stdin.write(data), end: () => stdin.close() },
    wait: async () => (await process.wait()).status,
    kill: async (signal = "SIGTERM") => {
      await process.kill(nameOfSignal(signal))
    }
  }
}

/** Commands of a workspace. `env` has the variables of each, and may change. */
export const processesOf = (workspace: Workspace, env: Readonly<Record<string, string>>): SandboxProcess => ({
  exec: async (command, options = {}) => {
    const { status, stderr, stdout } = await workspace.exec(command, {
      ...options,
      env: { ...env, ...options.env },
      maxBytes: MAX_BYTES
    })
    return { stdout, stderr, exitCode: status }
  },
  spawn: async (command, { cwd, env: own, signal } = {}) => {
    const process = await workspace.spawn(command, { cwd, env: { ...env, ...own }, signal })
    const abort = () => void process.kill("SIGKILL").catch(() => undefined)
    if (signal?.aborted === true) abort()
    else signal?.addEventListener("abort", abort, { once: true })
    return spawned(process)
  }
})
