import { Effect, type Scope } from "effect"
import { spawn } from "node:child_process"
import { daemonEnvironment } from "../system/processes/daemon-environment.ts"

/**
 * Reads until its stdin ends, which the kernel sees to when the process that holds the other end dies in whatever way, then becomes
 * the command. `read` is part of the shell: nothing else runs meanwhile.
 */
const waitThenRun = "while read -r _; do :; done; exec \"$@\""

/**
 * Runs a command once this process has died without closing the Scope: what it holds in vain, such as members of a pool, is then swept
 * without anybody coming by. Closing the Scope calls the watch off.
 */
export const startWatchdog = (
  command: readonly [string, ...ReadonlyArray<string>]
): Effect.Effect<void, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.sync(() => {
      // A session of its own: what ends this process's terminal or process group must not end it too.
      const child = spawn("/bin/sh", ["-c", waitThenRun, "pyro-watchdog", ...command], {
        detached: true,
        cwd: "/",
        env: daemonEnvironment(),
        stdio: ["pipe", "ignore", "ignore"]
      })
      // Without a watch the next daemon sweeps; a shell that cannot be started is no reason not to serve.
      child.on("error", () => {})
      child.stdin.on("error", () => {})
      child.unref()
      const { stdin } = child
      if ("unref" in stdin && typeof stdin.unref === "function") stdin.unref()
      return child
    }),
    (child) =>
      Effect.sync(() => {
        // Before its stdin ends, or it would take that for our death.
        child.kill("SIGKILL")
        child.stdin.destroy()
      })
  ).pipe(Effect.asVoid)
