import { Schema } from "effect"
import { flag, integer } from "../text/fields.ts"
import { snakeStruct, snakeTagged } from "../text/snake.ts"
import { ofCommands } from "./call-errors.ts"
import { outputBytes } from "./command.ts"
import { lazy, streaming } from "./operation.ts"
import { agentHosts } from "./ssh-agent-fields.ts"
import { at, withVm } from "./states.ts"
import { workspaceField } from "./workspace-field.ts"

export const SshAgentPayload = lazy(() =>
  snakeStruct({
    workspace: workspaceField(),
    host: agentHosts("Host that the guest may log in to with your keys, as your known_hosts has it. 1 to 16 hosts"),
    ask: flag("Ask on this terminal before each login")
  })
)
export type SshAgentPayload = ReturnType<typeof SshAgentPayload>["Type"]

const ended = lazy(() => ({ guestBytes: integer("Bytes that programs of the guest sent to the agent") }))

export const SshAgentEvent = lazy(() =>
  Schema.Union([
    Schema.TaggedStruct("Output", { bytes: outputBytes() }),
    snakeTagged("Ended", ended())
  ])
)
export type SshAgentEvent = ReturnType<typeof SshAgentEvent>["Type"]

const SshAgentResult = lazy(() => snakeStruct(ended()))
type SshAgentResult = ReturnType<typeof SshAgentResult>["Type"]

export const workspaceSshAgent = streaming({
  name: "workspace.ssh.agent",
  summary: "Lend your SSH agent to a workspace, for named hosts, until Ctrl-C",
  description:
    "Commands that start meanwhile have SSH_AUTH_SOCK, so that `git push` over SSH works without a key in the guest. Your agent signs logins to the named hosts alone: the " +
    "guest must show a session that the host has signed with a key of your known_hosts. It signs nothing else, and no login through another host. The guest needs OpenSSH 8.9 " +
    "or newer and a network policy that allows the host. Each login is printed here. `status` and `events` show the loan.",
  cli: {
    path: ["workspace", "ssh-agent"],
    args: ["workspace"],
    examples: ["pyro ssh-agent fix --host github.com", "pyro ssh-agent fix --host github.com --host gitlab.com --ask"]
  },
  mcp: { missing: "the keys are the user's, and the user's terminal lends them" },
  states: at(withVm),
  on: "running",
  endsWithConnection: true,
  errors: [...ofCommands],
  annotations: { readOnly: false, destructive: false, idempotent: false, openWorld: true },
  payload: SshAgentPayload,
  event: SshAgentEvent,
  result: SshAgentResult,
  fold: () => {
    let result: SshAgentResult | undefined
    return {
      add: (event) => {
        if (event._tag === "Ended") result = { guestBytes: event.guestBytes }
      },
      result: () => result
    }
  }
})
