import { createExecBackedGit, type SandboxCapabilities, type SandboxHandle } from "@tanstack/ai-sandbox"
import { randomUUID } from "node:crypto"
import type { Workspace } from "pyro/promises"
import { filesOf } from "./files.ts"
import { processesOf } from "./processes.ts"

/** Features of pyro. Newer releases of TanStack AI know `killableProcesses`. */
export const capabilities: SandboxCapabilities & { readonly killableProcesses: boolean } = {
  fs: true,
  exec: true,
  env: true,
  ports: true,
  backgroundProcesses: true,
  writableStdin: true,
  killableProcesses: true,
  snapshots: true,
  networkPolicy: true,
  durableFilesystem: true,
  fork: true
}

interface Held {
  readonly workspace: Workspace
  /** The id by which TanStack finds the sandbox again. */
  readonly id: string
  /** Variables of each command, which `env.set` changes. */
  readonly env: Record<string, string>
  /** The handle of a fork, which gets these variables. */
  readonly fork: (made: Workspace, env: Readonly<Record<string, string>>) => SandboxHandle
}

/** A workspace as a sandbox of TanStack AI. */
export const handleOf = ({ env, fork, id, workspace }: Held): SandboxHandle => {
  const process = processesOf(workspace, env)
  return {
    id,
    provider: "pyro",
    workspaceRoot: "/workspace",
    capabilities,
    fs: filesOf(workspace),
    process,
    git: createExecBackedGit(process, "/workspace"),
    ports: { connect: async (port) => ({ url: (await workspace.port(port)).url }) },
    env: { set: async (vars) => void Object.assign(env, vars) },
    snapshot: async (label) => {
      // TanStack's snapshots are of files.
      const { name } = await workspace.save(`tanstack-${randomUUID()}`, { diskOnly: true })
      return { id: name, ...(label === undefined ? {} : { label }) }
    },
    fork: async () => fork(await workspace.fork(), env),
    destroy: () => workspace.delete()
  }
}
