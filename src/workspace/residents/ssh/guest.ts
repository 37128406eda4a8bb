import { Effect, Stream } from "effect"
import { CommandNotStarted } from "../../../contract/errors/errors.ts"
import type { GuestChannel } from "../../../lib/guest-channel/GuestChannel.ts"
import type { SshGuest } from "../../../lib/ssh/serve.ts"
import type { Commands } from "../exec/command-registry.ts"
import { pidsMaxOf } from "../exec/follow.ts"
import { directoryOf } from "../program/command-defaults.ts"
import { guestEnvironment, shell } from "../program/command.ts"
import { connector } from "./connect.ts"
import { launchHelper, sshProcessId } from "./helper.ts"

/** SSH starts a program in the home directory: clients copy to relative paths, and expect them there. */
const atHome = (script: string, ...args: ReadonlyArray<string>) =>
  ["/bin/sh", "-c", `cd -- "$HOME" 2>/dev/null || cd /; ${script}`, "sh", ...args] as const

const LOGIN = "if [ -x /bin/bash ]; then exec /bin/bash -l; fi; SHELL=/bin/sh exec /bin/sh -l"
const SCRIPT = "if [ -x /bin/bash ]; then exec /bin/bash \"$1\"; else exec /bin/sh \"$1\"; fi"
const COMMAND = "if [ -x /bin/bash ]; then exec /bin/bash -c \"$1\"; else exec /bin/sh -c \"$1\"; fi"

/** A longer command does not fit in one message to the guest with its environment, or in one argument of a program. */
const MAX_COMMAND_BYTES = 32_768

/**
 * The program of a command. A long one is a file that its user alone reads, and that removes itself: OpenSSH's clients send up to 256 KiB, and
 * Linux takes half of it as one argument.
 */
const programOf = (
  channel: GuestChannel,
  id: string,
  user: string,
  command: string
) => {
  if (Buffer.byteLength(command) <= MAX_COMMAND_BYTES) return Effect.succeed(atHome(COMMAND, command))
  const path = `/tmp/.pyro-${id}`
  const script = Buffer.from(`rm -f -- "$0"\n${command}\n`)
  return channel.write({ root: "/", path: path.slice(1), mode: 0o600, user, exclusive: true }, Stream.make(script))
    .pipe(
      Effect.catchTag(
        "AgentCallFailed",
        ({ message }) =>
          new CommandNotStarted({
            step: "copy",
            detail:
              `a command of more than ${MAX_COMMAND_BYTES} bytes is a file of the guest, and ${path} could not be written: ${message}`
          })
      ),
      Effect.as(atHome(SCRIPT, path))
    )
}

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
      const id = sshProcessId()
      const argv = what === "command"
        ? yield* programOf(channel, id, request.user, command)
        : pty === undefined
        ? atHome(LOGIN)
        : shell
      return yield* Effect.flatten(channel.launch({ ...request, id, argv }))
    }),
  connect: connector(channel)
})
