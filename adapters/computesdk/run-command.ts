import type { CommandResult, RunCommandOptions } from "@computesdk/provider"
import { CommandNotExecutable, CommandNotFound, CommandNotStarted, type Workspace } from "pyro/promises"
import { ALL_OUTPUT } from "../shared/text.ts"

const NOT_STARTED = [CommandNotFound, CommandNotExecutable, CommandNotStarted]

/** Runs a script of the shell. A script that could not start has exit code 127, as with other providers. */
export const runCommand = async (
  workspace: Workspace,
  command: string,
  { background = false, cwd, env, onStderr, onStdout, timeout }: RunCommandOptions = {}
): Promise<CommandResult> => {
  const fields = { cwd, env, timeoutMs: timeout }
  try {
    if (background) {
      const started = await workspace.spawn(command, { ...fields, stdin: "ignore" })
      await started.detach()
      return { stdout: "", stderr: "", exitCode: 0, durationMs: 0 }
    }
    const ended = await workspace.exec(command, { ...fields, ...ALL_OUTPUT, onStdout, onStderr })
    return { stdout: ended.stdout, stderr: ended.stderr, exitCode: ended.status, durationMs: ended.durationMs }
  } catch (failure) {
    if (!NOT_STARTED.some((one) => failure instanceof one)) throw failure
    return { stdout: "", stderr: `${(failure as Error).message}\n`, exitCode: 127, durationMs: 0 }
  }
}
