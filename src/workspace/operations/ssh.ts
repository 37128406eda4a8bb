import { Effect, Option } from "effect"
import { explainEnd } from "../life/read/reader.ts"
import { directoryOf } from "../residents/program/command-defaults.ts"
import { sshGuest } from "../residents/ssh/guest.ts"
import type { Works } from "./work.ts"

/** The work of the operations for SSH clients. */
export const sshWorks = {
  "workspace.ssh.config": ({ entry, ssh }) =>
    Effect.gen(function*() {
      const record = yield* entry.record.now
      const { id, name, user, workspaceUser } = record
      const { hostLine, identityFile, knownHostsFile } = yield* ssh.keys
      return {
        id,
        ...(name === undefined ? {} : { name }),
        host: `pyro-${name ?? id}`,
        user: user ?? workspaceUser,
        cwd: directoryOf(undefined, record),
        identityFile,
        knownHostsFile,
        hostKey: hostLine
      }
    }),
  "workspace.ssh.agent": {
    pulls: ({ agentLoan, entry, generation }, payload, input) =>
      Effect.gen(function*() {
        const { user, workspaceUser } = yield* entry.record.now
        const explained = explainEnd({ entry, generation })
        const pull = yield* agentLoan.lend(generation.channel, user ?? workspaceUser, payload, input)
        const lost = Effect.mapError(explained(generation.channel.failed), Option.some)
        return (waitMs?: number) => Effect.raceFirst(pull(waitMs), lost)
      })
  },
  "workspace.ssh.proxy": {
    pulls: ({ commands, entry, generation, ssh }, _payload, input) =>
      Effect.gen(function*() {
        const { memoryMib } = yield* entry.record.now
        const { channel } = generation
        const lost = explainEnd({ entry, generation })(channel.failed)
        return yield* ssh.serve(sshGuest({ channel, commands, memoryMib }), lost, input)
      })
  }
} satisfies Partial<Works>
