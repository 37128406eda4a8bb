import { Effect } from "effect"
import { spawn } from "node:child_process"
import { processEnvironment } from "../settings/config.ts"

type Execve = (file: string, words: ReadonlyArray<string>, env: NodeJS.ProcessEnv) => never

/** execve(2), which Node has since 22.15. */
const execve = (process as unknown as { readonly execve?: Execve }).execve

/**
 * Lets another program take this process's place, with its stdin, stdout and stderr: no memory of Node stays. An older Node waits for the program.
 * Gives the program's exit status.
 */
export const become = (program: string, words: ReadonlyArray<string>): Effect.Effect<number> =>
  Effect.callback((resume) => {
    if (execve !== undefined) {
      // Node says that its function is experimental.
      process.removeAllListeners("warning")
      execve.call(process, program, [program, ...words], processEnvironment())
    }
    const child = spawn(program, words, { stdio: "inherit" })
    child.once("error", () => resume(Effect.succeed(1)))
    child.once("exit", (status) => resume(Effect.succeed(status ?? 1)))
    return Effect.sync(() => void child.kill())
  })
