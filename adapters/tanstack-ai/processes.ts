import type { SandboxProcess } from "@tanstack/ai-sandbox"
import { constants } from "node:os"
import type { Workspace } from "pyro/promises"
import { ALL_OUTPUT, textOf } from "../shared/text.ts"

const nameOfSignal = (signal: string | number): string =>
  typeof signal === "string"
    ? signal
    : Object.entries(constants.signals).find(([, number]) => number === signal)?.[0] ?? String(signal)

/** Commands of a workspace. `env` has the variables of each, and may change. */
export const processesOf = (workspace: Workspace, env: Readonly<Record<string, string>>): SandboxProcess => ({
  exec: async (command, options = {}) => {
    const all = { ...options, env: { ...env, ...options.env }, ...ALL_OUTPUT }
    const { status, stderr, stdout } = await workspace.exec(command, all)
    return { stdout, stderr, exitCode: status }
  },
  spawn: async (command, options = {}) => {
    const process = await workspace.spawn(command, { ...options, env: { ...env, ...options.env } })
    const stdin = process.stdin.getWriter()
    return {
      // A command that has a handle has been started.
      pid: process.pid ?? -1,
      stdout: textOf(process.stdout),
      stderr: textOf(process.stderr),
      stdin: { write: (data) => stdin.write(data), end: () => stdin.close() },
      wait: async () => (await process.wait()).status,
      kill: async (signal = "SIGTERM") => void await process.kill(nameOfSignal(signal))
    }
  }
})
