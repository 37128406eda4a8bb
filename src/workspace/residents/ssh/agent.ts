import { Effect, Option, type Scope, Stream } from "effect"
import { InvalidRequest, type PyroError } from "../../../contract/errors/errors.ts"
import { type PullEvents, pullFromStream } from "../../../contract/rows/event-batches.ts"
import type { RunInput } from "../../../contract/rows/run-input.ts"
import type { SshAgentEvent, SshAgentPayload } from "../../../contract/rows/workspace-ssh-agent.ts"
import { escapeGuestText } from "../../../contract/text/printable.ts"
import type { GuestChannel } from "../../../guest-channel/GuestChannel.ts"
import type { NewEvent } from "../../entry/events.ts"
import { guestEnvironment } from "../command.ts"
import { launchHelper } from "./helper.ts"

/** Place of the lent agent in the guest. */
const SOCKET = "/run/pyro/agent.sock"

/** Lends agents to one workspace, one at a time. */
export const makeAgentLoan = (record: (event: NewEvent) => Effect.Effect<void>) => {
  let loan: { readonly hosts: ReadonlyArray<string>; readonly ask: boolean } | undefined

  /**
   * Passes messages between programs of the guest and a client of the daemon, which has the agent and judges each message. Ends with the
   * Scope. `user`: the user whose programs may open the socket.
   */
  const lend = (
    channel: GuestChannel,
    user: string,
    { ask, host: hosts, workspace }: SshAgentPayload,
    { stdin }: RunInput
  ): Effect.Effect<PullEvents<SshAgentEvent>, PyroError, Scope.Scope> =>
    Effect.gen(function*() {
      if (loan !== undefined) {
        return yield* new InvalidRequest({
          field: "workspace",
          detail: `${workspace} has an agent already, for ${loan.hosts.join(", ")}. End the command that lends it`
        })
      }
      yield* Effect.acquireRelease(
        Effect.sync(() => void (loan = { hosts, ask })),
        () => Effect.sync(() => void (loan = undefined))
      )
      const process = yield* Effect.acquireRelease(
        launchHelper(channel, ["agent", SOCKET, user], {
          env: guestEnvironment({ tty: false, env: {} }),
          cwd: "/",
          user: "",
          stdin: true
        }),
        ({ release }) => release
      )
      yield* Effect.acquireRelease(
        record({ _tag: "ssh_agent_lent", hosts }),
        () => record({ _tag: "ssh_agent_ended", hosts })
      )
      yield* Effect.forkScoped(Effect.ignore(Stream.runForEach(stdin ?? Stream.empty, process.writeStdin)))
      let guestBytes = 0
      const events = Stream.mapEffect(
        process.output,
        ({ bytes, from }): Effect.Effect<SshAgentEvent, PyroError> =>
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
    /** Variables of programs while an agent is lent. */
    variables: Effect.sync((): Readonly<Record<string, string>> => loan === undefined ? {} : { SSH_AUTH_SOCK: SOCKET }),
    loan: () => Option.fromNullishOr(loan)
  }
}
export type AgentLoan = ReturnType<typeof makeAgentLoan>
