import { Effect } from "effect"
import type { GuestChannel } from "../../../guest-channel/GuestChannel.ts"
import type { SshGuest } from "../../../ssh/serve.ts"
import { directoryOf } from "../command-defaults.ts"
import { guestEnvironment, shell } from "../command.ts"
import type { Commands } from "../exec/command-registry.ts"
import { pidsMaxOf } from "../exec/follow.ts"
import { connector } from "./connect.ts"
import { launchHelper, sshProcessId } from "./helper.ts"

/** SSH starts a program in the home directory: clients copy to relative paths, and expect them there. */
const atHome = (script: string, ...args: ReadonlyArray<string>) =>
  ["/bin/sh", "-c", `cd -- "$HOME" 2>/dev/null || cd /; ${script}`, "sh", ...args] as const

const LOGIN = "if [ -x /bin/bash ]; then exec /bin/bash -l; fi; SHELL=/bin/sh exec /bin/sh -l"
const COMMAND = "if [ -x /bin/bash ]; then exec /bin/bash -c \"$1\"; else exec /bin/sh -c \"$1\"; fi"

/** What an SSH connection may do in a guest. Its programs have the variables of the workspace's commands, and no log. */
export const sshGuest = (
  { channel, commands, memoryMib }: {
    readonly channel: GuestChannel
    readonly commands: Commands
    readonly memoryMib: number
  }
): SshGuest => ({
  start: ({ command, env, pty, user, what }) =>
    Effect.gen(function*() {
      const prepared = yield* commands.prepare(channel)
      const own = yield* commands.defaults
      const request = {
        env: guestEnvironment({
          tty: pty !== undefined,
          env: { ...prepared, ...own.env, ...(pty === undefined ? {} : { TERM: pty.type }), ...env }
        }),
        // A person's shell starts where the workspace's commands start.
        cwd: what === "shell" && pty !== undefined ? directoryOf(undefined, own) : "/",
        user: user === "root" ? "" : user,
        stdin: true,
        ...(pty === undefined ? {} : { pty: { rows: pty.rows, cols: pty.cols } }),
        pidsMax: pidsMaxOf(memoryMib)
      }
      if (what === "sftp") return yield* launchHelper(channel, ["sftp"], request)
      const argv = what === "command" ? atHome(COMMAND, command) : pty === undefined ? atHome(LOGIN) : shell
      return yield* Effect.flatten(channel.launch({ ...request, id: sshProcessId(), argv }))
    }),
  connect: connector(channel)
})
