import { Effect } from "effect"
import { InvalidRequest } from "../../../contract/errors/errors.ts"
import type { GuestChannel } from "../../../guest-channel/GuestChannel.ts"
import type { Connect, SshGuest, SshProgram } from "../../../ssh/serve.ts"
import { directoryOf } from "../command-defaults.ts"
import { guestEnvironment, shell } from "../command.ts"
import type { Commands } from "../exec/command-registry.ts"
import { pidsMaxOf } from "../exec/follow.ts"
import { loopbackPort } from "../port/listener.ts"

/** SSH starts a program in the home directory: clients copy to relative paths, and expect them there. */
const HOME = "cd -- \"$HOME\" 2>/dev/null || cd /"

const atHome = (
  script: string,
  ...args: ReadonlyArray<string>
) => ["/bin/sh", "-c", `${HOME}; ${script}`, "sh", ...args]

const LOGIN = "if [ -x /bin/bash ]; then exec /bin/bash -l; fi; SHELL=/bin/sh exec /bin/sh -l"
const COMMAND = "if [ -x /bin/bash ]; then exec /bin/bash -c \"$1\"; else exec /bin/sh -c \"$1\"; fi"

/** Program and directory of a request. A person's shell starts where the workspace's commands start. */
const programOf = ({ command, pty, what }: SshProgram, cwd: string): readonly [ReadonlyArray<string>, string] => {
  switch (what) {
    case "command":
      return [atHome(COMMAND, command), "/"]
    case "shell":
      return pty === undefined ? [atHome(LOGIN), "/"] : [shell, cwd]
    case "sftp":
      return [["/run/pyro/sftp-server"], "/"]
  }
}

/** Starts a program of an SSH session in a guest. It has the variables of the workspace's commands, and no log. */
const starter = (channel: GuestChannel, commands: Commands, memoryMib: number): SshGuest["start"] => (program) =>
  Effect.gen(function*() {
    const prepared = yield* commands.prepare(channel)
    const own = yield* commands.defaults
    const { env, pty, user } = program
    const [argv, cwd] = programOf(program, directoryOf(undefined, own))
    const [first = "", ...args] = argv
    return yield* Effect.flatten(channel.launch({
      argv: [first, ...args],
      env: guestEnvironment({
        tty: pty !== undefined,
        env: { ...prepared, ...own.env, ...(pty === undefined ? {} : { TERM: pty.type }), ...env }
      }),
      cwd,
      user: user === "root" ? "" : user,
      stdin: true,
      ...(pty === undefined ? {} : { pty: { rows: pty.rows, cols: pty.cols } }),
      pidsMax: pidsMaxOf(memoryMib)
    }))
  })

const LOOPBACK = new Set(["localhost", "127.0.0.1", "::1", "ip6-localhost"])

/** Bytes of one forwarded connection that the guest may send ahead of the client. */
const WINDOW_BYTES = 262_144

const connector = (channel: GuestChannel): Connect => {
  const ports = new Map<number, ReturnType<typeof loopbackPort>>()
  return ({ host, port }) => {
    if (!LOOPBACK.has(host.toLowerCase()) || port < 1 || port > 65_535) {
      return new InvalidRequest({ field: "host", detail: "only ports of the guest itself can be forwarded" })
    }
    const connect = ports.get(port) ?? loopbackPort(port)
    ports.set(port, connect)
    return connect(channel, WINDOW_BYTES)
  }
}

/** What an SSH connection may do in a guest. */
export const sshGuest = (
  { channel, commands, memoryMib }: {
    readonly channel: GuestChannel
    readonly commands: Commands
    readonly memoryMib: number
  }
): SshGuest => ({ start: starter(channel, commands, memoryMib), connect: connector(channel) })
