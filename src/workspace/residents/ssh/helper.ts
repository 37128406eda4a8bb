import { Effect, Stream } from "effect"
import { createHash } from "node:crypto"
import { CommandNotStarted, type PyroError } from "../../../contract/errors/errors.ts"
import type { GuestChannel } from "../../../guest-channel/GuestChannel.ts"
import type { GuestProcess, SpawnRequest } from "../../../guest-channel/process.ts"
import { readFile } from "../../../system/files/content.ts"
import { toHostErrorOf } from "../../../system/files/failure.ts"
import { nativeTool } from "../../../system/processes/native.ts"

const FOLDER = "/run/pyro"

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
  request: Omit<SpawnRequest, "argv">
): Effect.Effect<GuestProcess, PyroError> =>
  Effect.gen(function*() {
    const program = yield* helper
    const launch = Effect.flatten(channel.launch({ ...request, argv: [program.path, ...args] }))
    const again = () => Effect.andThen(install(channel, program), launch)
    return yield* Effect.catchTags(launch, { CommandNotFound: again, CommandNotExecutable: again })
  })
