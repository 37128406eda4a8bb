import { Effect, Stream } from "effect"
import { InvalidRequest } from "../../../contract/errors/errors.ts"
import { call, words } from "../../../contract/errors/next-step.ts"
import { pullFromStream } from "../../../contract/rows/event-batches.ts"
import type { RunInput } from "../../../contract/rows/run-input.ts"
import type { LentAgent } from "../../../contract/rows/ssh-agent-fields.ts"
import type { SshAgentEvent, SshAgentPayload } from "../../../contract/rows/workspace-ssh-agent.ts"
import { escapeGuestText } from "../../../contract/text/printable.ts"
import type { GuestChannel } from "../../../lib/guest-channel/GuestChannel.ts"
import type { NewEvent } from "../../entry/events.ts"
import { AGENT_SOCKET, launchAgent } from "./helper.ts"
import type { LastingAgent } from "./lasting-agent.ts"

/** Lends agents to one workspace, one at a time: by a command, or for the life of the workspace. */
export const makeAgentLoan = (record: (event: NewEvent) => Effect.Effect<void>, lasting: LastingAgent) => {
  let ofCommand: LentAgent | undefined

  const loan = Effect.suspend(() => ofCommand === undefined ? lasting.loan : Effect.succeed(ofCommand))

  /**
   * Passes messages between programs of the guest and a client of the daemon, which has the agent and judges each message. Ends with the
   * Scope. `user`: the user whose programs may open the socket.
   */
  const lend = (
    channel: GuestChannel,
    user: string,
    { ask, host: hosts, workspace }: SshAgentPayload,
    { stdin }: RunInput
  ) =>
    Effect.gen(function*() {
      const present = yield* loan
      if (present !== undefined) {
        return yield* new InvalidRequest({
          field: "workspace",
          detail: `${workspace} has an agent already, for ${present.hosts.join(", ")}`,
          next: [
            present.socket === undefined
              ? words("End the command that lends it")
              : call("End the loan", "workspace.update", { workspace, clear_ssh_agent: true })
          ]
        })
      }
      yield* Effect.acquireRelease(
        Effect.sync(() => void (ofCommand = { hosts, ask })),
        () => Effect.sync(() => void (ofCommand = undefined))
      )
      const process = yield* Effect.acquireRelease(launchAgent(channel, user), ({ release }) => release)
      yield* Effect.acquireRelease(
        record({ _tag: "ssh_agent_lent", hosts }),
        () => record({ _tag: "ssh_agent_ended", hosts })
      )
      yield* Effect.forkScoped(Effect.ignore(Stream.runForEach(stdin ?? Stream.empty, process.writeStdin)))
      let guestBytes = 0
      const events = Stream.mapEffect(
        process.output,
        ({ bytes, from }): Effect.Effect<SshAgentEvent, InvalidRequest> =>
          from === "stdout"
            ? Effect.sync(() => {
              guestBytes += bytes.length
              return { _tag: "Output", bytes }
            })
            : new InvalidRequest({ field: "workspace", detail: escapeGuestText(Buffer.from(bytes.subarray(0, 200))) })
      )
      return yield* pullFromStream(
        Stream.concat(events, Stream.sync((): SshAgentEvent => ({ _tag: "Ended", guestBytes })))
      )
    })

  return {
    lend,
    lasting,
    /** Variables of programs while an agent is lent. */
    variables: Effect.map(
      loan,
      (lent): Readonly<Record<string, string>> => lent === undefined ? {} : { SSH_AUTH_SOCK: AGENT_SOCKET }
    ),
    /** The agent that is lent now. */
    loan,
    /** The loan of a command, which no record has. */
    ofCommand: () => ofCommand
  }
}
export type AgentLoan = ReturnType<typeof makeAgentLoan>
