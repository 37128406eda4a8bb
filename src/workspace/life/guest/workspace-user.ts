import { Effect, Stream } from "effect"
import { type ChannelFailed, InvalidRequest } from "../../../contract/errors/errors.ts"
import type { WorkspaceUser } from "../../../contract/rows/workspace-field.ts"
import type { Owner } from "../../../lib/disk/SeedImages.ts"
import type { GuestChannel } from "../../../lib/guest-channel/GuestChannel.ts"

/** Ids of `agent` in the environments that pyro builds (rootfs/environment/steps/30-agent.sh). */
const agent: Owner = { uid: 1000, gid: 1000 }

/** Owner of the files of a workspace's seed. `undefined`: root. */
export const ownerOf = (user: WorkspaceUser): Owner | undefined => user === "agent" ? agent : undefined

/** Maximum bytes of the guest's /etc/passwd to read: the guest agent reads no larger one (guest-agent/src/user.c). */
const PASSWD_BYTES = 1_048_576

/** The ids of a user by passwd(5), as the guest agent finds them: the first line with the name counts. */
export const idsIn = (passwd: string, name: string): Owner | undefined => {
  for (const line of passwd.split("\n")) {
    const [user, , uid = "", gid = ""] = line.split(":")
    if (user === name && /^\d+$/.test(uid) && /^\d+$/.test(gid)) return { uid: Number(uid), gid: Number(gid) }
  }
  return undefined
}

const lacking = (environment: string, found: Owner | undefined) =>
  new InvalidRequest({
    field: "workspace_user",
    detail: (found === undefined
      ? `the environment ${environment} has no user "agent"`
      : `the user "agent" of the environment ${environment} has the ids ${found.uid}:${found.gid} instead of ` +
        `${agent.uid}:${agent.gid}`) +
      "; choose an environment that has this user, such as debian:12, or let root own /workspace"
  })

/**
 * Fails if the guest lacks the user of its workspace. An environment from a workspace may lack `agent`, and commands would fail
 * only later.
 */
export const demandUser = (
  channel: GuestChannel,
  user: WorkspaceUser,
  environment: string
): Effect.Effect<void, ChannelFailed | InvalidRequest> =>
  Effect.suspend(() => {
    if (ownerOf(user) === undefined) return Effect.void
    const passwd = channel.read({ root: "/", path: "etc/passwd", limit: PASSWD_BYTES }).pipe(
      Stream.runFold(() => "", (text, bytes) => text + Buffer.from(bytes).toString("latin1")),
      Effect.catchTag("AgentCallFailed", () => Effect.succeed(""))
    )
    return Effect.flatMap(passwd, (text) => {
      const found = idsIn(text, "agent")
      return found?.uid === agent.uid && found.gid === agent.gid ? Effect.void : lacking(environment, found)
    })
  })
