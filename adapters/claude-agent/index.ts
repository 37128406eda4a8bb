import type { SpawnedProcess, SpawnOptions } from "@anthropic-ai/claude-agent-sdk"
import type { Process, Workspace } from "pyro/promises"
import { textOf } from "../shared/text.ts"
import { environmentOf } from "./environment.ts"
import { GuestProcess } from "./guest-process.ts"
import { wordsOf } from "./program.ts"

export { claudeCodeAccess, type ClaudeCodeKey } from "./access.ts"

/** How Claude Code runs in a workspace. */
export interface SpawnClaudeCodeOptions {
  /** Path of Claude Code in the guest. Default: the SDK's own path if the guest has it, else `claude` of the PATH, else the npm package's. */
  readonly program?: string | undefined
  /** Working directory in the guest. Default: the query's `cwd` if the query names one that the guest has, else /workspace. */
  readonly cwd?: string | undefined
  /** More variables of Claude Code. Default: none. */
  readonly env?: Readonly<Record<string, string>> | undefined
  /** User to run as. Default: the owner of /workspace. */
  readonly user?: string | undefined
  /** Gets what Claude Code prints on stderr, as text. */
  readonly onStderr?: ((text: string) => void) | undefined
}

const directoryOf = async ({ files }: Workspace, { cwd }: SpawnOptions): Promise<string> =>
  cwd !== undefined && cwd !== process.cwd() && (await files.stat(cwd))?.type === "directory" ? cwd : "/workspace"

const listen = async ({ stderr }: Process, onStderr: (text: string) => void): Promise<void> => {
  for await (const text of textOf(stderr)) onStderr(text)
}

/**
 * Runs the Claude Code of an agent in a workspace: its tools see the guest's files, processes and network, and none of this host's.
 *
 * @example
 * const options = { spawnClaudeCodeProcess: spawnClaudeCodeIn(ws), permissionMode: "bypassPermissions" }
 * for await (const message of query({ prompt: "Fix the failing test.", options })) console.log(message)
 */
export const spawnClaudeCodeIn =
  (workspace: Workspace, options: SpawnClaudeCodeOptions = {}): (asked: SpawnOptions) => SpawnedProcess => (asked) => {
    const start = async () => {
      const words = await wordsOf(workspace, asked, options.program)
      const started = await workspace.spawn(words, {
        cwd: options.cwd ?? await directoryOf(workspace, asked),
        env: { ...environmentOf(asked.env), ...options.env },
        user: options.user
      })
      if (options.onStderr !== undefined) void listen(started, options.onStderr).catch(() => undefined)
      return started
    }
    return new GuestProcess(start(), asked.signal)
  }
