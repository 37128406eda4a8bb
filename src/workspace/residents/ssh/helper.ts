import { Effect, Option, Stream } from "effect"
import { createHash } from "node:crypto"
import { CommandNotStarted } from "../../../contract/errors/errors.ts"
import type { GuestChannel } from "../../../lib/guest-channel/GuestChannel.ts"
import type { SpawnRequest } from "../../../lib/guest-channel/model/process.ts"
import { hangUp } from "../../../lib/ssh/model/hang-up.ts"
import { readFile } from "../../../system/files/content.ts"
import { toHostErrorOf } from "../../../system/files/failure.ts"
import { newRequestId } from "../../../system/processes/identity.ts"
import { nativeTool } from "../../../system/processes/native.ts"
import type { ResidentVm } from "../../entry/resident.ts"
import { guestEnvironment } from "../program/command.ts"

const FOLDER = "/run/pyro"

/** First digits of the ids of all processes of SSH connections: `ssh` and a zero in hexadecimal. */
const MARK = "73736800"

/** Id of a new process of an SSH connection. */
export const sshProcessId = () => MARK + newRequestId().slice(MARK.length)

export const isSshProcess = (id: string) => id.startsWith(MARK)

/** Hangs up the processes of SSH connections that another daemon, or the VM of a snapshot, has left: no client reads them any more. */
export const hangUpLeft = ({ channel, scope }: Pick<ResidentVm, "channel" | "scope">): Effect.Effect<void> =>
  Effect.forEach(
    channel.hello.streams.filter(({ id }) => isSshProcess(id)),
    ({ id }) =>
      channel.adopt(id).pipe(
        Effect.flatMap(Option.match({
          onNone: () => Effect.void,
          onSome: (process) =>
            Effect.raceFirst(
              Effect.andThen(process.forEachOutput(() => Effect.void), process.exit),
              Effect.andThen(hangUp(process), process.exit)
            )
        })),
        Effect.scoped,
        Effect.ignore,
        Effect.forkIn(scope)
      ),
    { discard: true }
  )

/** The program `pyro-ssh`, and its place in a guest. Its content names it, so that a newer pyro finds no older one there. */
const helper = Effect.gen(function*() {
  const file = yield* nativeTool("pyro-ssh")
  const bytes = yield* Effect.mapError(readFile(file), toHostErrorOf(file))
  return { bytes, path: `${FOLDER}/ssh-${createHash("sha256").update(bytes).digest("hex").slice(0, 16)}` }
})

/** The directory is a tmpfs, which no snapshot of the disk and no diff has. */
const install = (channel: GuestChannel, { bytes, path }: Effect.Success<typeof helper>) =>
  channel.write({ root: "/", path: path.slice(1), mode: 0o755, createParents: true }, Stream.make(bytes)).pipe(
    Effect.catchTag(
      "AgentCallFailed",
      ({ message }) =>
        new CommandNotStarted({ step: "copy", detail: `${path} of the guest could not be written: ${message}` })
    )
  )

/**
 * Starts `pyro-ssh` in the guest, and copies it there before its first start. The guest's root may remove or replace it, which harms the guest
 * alone: it has no rights but those of its user.
 */
export const launchHelper = (
  channel: GuestChannel,
  args: ReadonlyArray<string>,
  request: Omit<SpawnRequest, "argv" | "id">
) =>
  Effect.gen(function*() {
    const program = yield* helper
    // Each attempt has an id of its own: the agent runs an id once.
    const launch = Effect.suspend(() =>
      Effect.flatten(channel.launch({ ...request, id: sshProcessId(), argv: [program.path, ...args] }))
    )
    const again = () => Effect.andThen(install(channel, program), launch)
    return yield* Effect.catchTags(launch, { CommandNotFound: again, CommandNotExecutable: again })
  })

/** Place of a lent agent in the guest. */
export const AGENT_SOCKET = "/run/pyro/agent.sock"

/** Starts the guest's end of a lent agent. Only programs of the user, and root, can open its socket. */
export const launchAgent = (channel: GuestChannel, user: string) =>
  launchHelper(channel, ["agent", AGENT_SOCKET, user], {
    env: guestEnvironment({ tty: false, env: {} }),
    cwd: "/",
    user: "",
    stdin: true
  })
