import { Schema } from "effect"
import { integer, optional, string } from "../text/fields.ts"
import { snakeStruct, snakeTagged } from "../text/snake.ts"
import { outputBytes } from "./command.ts"
import { always, lazy, streaming, unary } from "./operation.ts"
import { at, withCommands, withVm } from "./states.ts"
import { WorkspaceRef } from "./workspace-field.ts"

/** Data that an SSH client needs to reach a workspace. */
export const SshConfig = lazy(() =>
  snakeStruct({
    id: string("Id of the workspace"),
    name: optional(string("Name of the workspace. Absent if it has none")),
    host: string("Name of the workspace for SSH clients: `pyro-` and its name, or its id"),
    user: string("User of commands that name none"),
    cwd: string("Directory of commands that name none"),
    identityFile: string("File of the private key that may log in, on the daemon's host. No other key may"),
    knownHostsFile: string("File with the public key of the server, on the daemon's host"),
    hostKey: string("Public key of the server")
  })
)
export type SshConfig = ReturnType<typeof SshConfig>["Type"]

export const workspaceSshConfig = unary({
  name: "workspace.ssh.config",
  summary: "Show the entry of a workspace for ~/.ssh/config",
  description:
    "Prints an entry for OpenSSH, with which ssh, sftp, scp, rsync and editors reach the workspace as `pyro-NAME`. The connection goes through " +
    "`pyro workspace ssh-proxy`, so no port is open on this host or in the guest. Client and server have a key that pyro makes for this workspace " +
    "alone, and removes with it. With --write, pyro asks, writes the entry to ~/.ssh/pyro/pyro-NAME.conf, and adds one Include line to " +
    "~/.ssh/config. With --remove, pyro removes both. docs/editors.md has the editors.",
  cli: {
    path: ["workspace", "ssh-config"],
    args: ["workspace"],
    extras: {
      write: {
        _tag: "switch",
        description: "Write the entry to ~/.ssh/pyro, and include that directory in ~/.ssh/config. Asks first"
      },
      remove: {
        _tag: "switch",
        description:
          "Remove the entry from ~/.ssh/pyro. The last entry takes the Include line along, with files and directories that pyro made"
      },
      yes: { _tag: "switch", description: "Do not ask. Needed for --write without a terminal" }
    },
    examples: [
      "pyro ssh-config fix",
      "pyro ssh-config fix --write",
      "pyro ssh-config fix --remove"
    ]
  },
  mcp: { missing: "an editor of the user needs it; a model runs commands with workspace_exec" },
  // A deletion removes the keys.
  states: at(withCommands.filter((state) => state !== "deleting")),
  on: "residents",
  errors: [],
  annotations: { readOnly: false, destructive: false, idempotent: true, openWorld: false },
  payload: WorkspaceRef,
  result: SshConfig
})

const ended = lazy(() => ({
  sentBytes: integer("Bytes that the server sent to the client"),
  reason: optional(string("Why the server has ended the connection. Absent if the client did"))
}))

export const SshProxyEvent = lazy(() =>
  Schema.Union([
    Schema.TaggedStruct("Output", { bytes: outputBytes() }),
    snakeTagged("Ended", ended())
  ])
)
export type SshProxyEvent = ReturnType<typeof SshProxyEvent>["Type"]

const SshProxyResult = lazy(() => snakeStruct(ended()))
type SshProxyResult = ReturnType<typeof SshProxyResult>["Type"]

export const workspaceSshProxy = streaming({
  name: "workspace.ssh.proxy",
  summary: "Carry an SSH connection to a workspace, on stdin and stdout",
  description:
    "Is the ProxyCommand of the entry that `ssh-config` prints; people do not type it. Serves one SSH connection: commands, terminals, sftp, and " +
    "connections to the guest's ports. The server is in pyro's daemon, so that the guest needs no sshd and gets no key. Programs run as the user " +
    "of the connection, with the environment of the workspace. Ends with a reset, a stop or a pause of the workspace.",
  cli: {
    path: ["workspace", "ssh-proxy"],
    args: ["workspace"],
    examples: ["pyro ssh-proxy fix"]
  },
  mcp: { missing: "a stream of bytes for an SSH client; a model runs commands with workspace_exec" },
  states: at(withVm),
  on: "running",
  writes: always,
  endsWithConnection: true,
  errors: [],
  annotations: { readOnly: false, destructive: false, idempotent: false, openWorld: true },
  payload: WorkspaceRef,
  event: SshProxyEvent,
  result: SshProxyResult,
  exitStatus: ({ reason }) => reason === undefined ? 0 : 1,
  fold: () => {
    let result: SshProxyResult | undefined
    return {
      add: (event) => {
        if (event._tag !== "Ended") return
        const { _tag, ...how } = event
        result = how
      },
      result: () => result
    }
  }
})
