import { Effect, type Scope } from "effect"
import { spawn } from "node:child_process"
import { daemonEnvironment } from "../system/processes/environment.ts"

/**
 * Reads until its stdin ends, then becomes the command. The kernel ends the stdin when the process at the other end dies. `read` is built
 * into the shell: no other process runs meanwhile.
 */
const waitThenRun = "while read -r _; do :; done; exec \"$@\""

/**
 * Runs a command if this process dies without closing the Scope, so that its leftovers, such as members of a pool, are swept at once.
 * Closing the Scope ends the watch.
 */
export const startWatchdog = (
  command: readonly [string, ...ReadonlyArray<string>]
): Effect.Effect<void, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.sync(() => {
      // A session of its own: a signal to this process's terminal or group must not end it.
      const child = spawn("/bin/sh", ["-c", waitThenRun, "pyro-watchdog", ...command], {
        detached: true,
        cwd: "/",
        env: daemonEnvironment(),
        stdio: ["pipe", "ignore", "ignore"]
      })
      // Without a watch, the next daemon sweeps.
      child.on("error", () => {})
      child.stdin.on("error", () => {})
      child.unref()
      const { stdin } = child
      if ("unref" in stdin && typeof stdin.unref === "function") stdin.unref()
      return child
    }),
    (child) =>
      Effect.sync(() => {
        // Before its stdin ends: the end would start the command.
        child.kill("SIGKILL")
        child.stdin.destroy()
      })
  ).pipe(Effect.asVoid)
