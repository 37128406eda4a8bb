import { Duration, Effect } from "effect"
import { type ChannelFailed, type FileRefused, type PyroError, VmFailed } from "../../contract/errors/errors.ts"
import type { DiskListPayload, DiskReadPayload } from "../../contract/rows/workspace-disk.ts"
import { workspaceFile, workspacePath } from "../../lib/guest-channel/guest-path.ts"
import type { GuestChannel } from "../../lib/guest-channel/GuestChannel.ts"
import type { SecretSet } from "../../lib/redaction/secrets.ts"
import { listDirectory } from "../content/files/list.ts"
import { readPart } from "../content/files/read.ts"
import type { Lifecycle } from "../entry/context.ts"
import type { Entry } from "../entry/entry.ts"
import { demandSound, type DiskTree, openRoot } from "../life/read/inspected-root.ts"
import { borrowDisk, type Borrowed } from "../life/read/reader.ts"
import { guardOf } from "../residents/open/entry-residents.ts"

/** Reads a path. The disk must be sound. */
const at = <A>(
  channel: GuestChannel,
  tree: DiskTree,
  look: Effect.Effect<A, ChannelFailed | FileRefused>
) => Effect.tap(look, demandSound(channel, tree))

/** Lists a directory of an inspected disk. */
export const listDisk = (channel: GuestChannel, tree: DiskTree, payload: DiskListPayload) =>
  Effect.flatMap(
    workspacePath(payload.path, tree),
    (path) => at(channel, tree, listDirectory(channel, path, payload, tree))
  )

/** Reads a file of an inspected disk. */
export const readDisk = (
  channel: GuestChannel,
  tree: DiskTree,
  payload: DiskReadPayload,
  secrets: SecretSet | undefined = undefined
) =>
  Effect.flatMap(workspaceFile(payload.path, tree), (path) =>
    at(
      channel,
      tree,
      // The disk is read at rest: no later write can expect its version.
      Effect.map(
        readPart(channel, path, payload, { tree, secrets }),
        ({ version: _, image: __, ...content }) => content
      )
    ))

/** Reads the disk of a workspace at rest, through an inspector. */
export const lookAtDisk = <
  A,
  E extends PyroError,
  P extends { readonly workspace: string; readonly allowSecrets?: boolean }
>(
  lifecycle: Lifecycle,
  entry: Entry,
  payload: P,
  operation: "workspace.disk.list" | "workspace.disk.read",
  look: (
    channel: Borrowed["channel"],
    tree: DiskTree,
    payload: P,
    secrets: SecretSet | undefined
  ) => Effect.Effect<A, E>
) =>
  Effect.scoped(Effect.gen(function*() {
    const { channel, explain, guest } = yield* borrowDisk(lifecycle, entry, operation)
    const secrets = yield* guardOf(entry, payload)
    return yield* explain(
      Effect.flatMap(openRoot(guest), (tree) => look(channel, tree, payload, secrets)).pipe(withinDeadline)
    )
  }))

/**
 * Time for the work of an inspector on a disk. The agent answers probes while it works. An agent under the guest's control may work for
 * ever, and so may the kernel with a file of 16 TiB.
 */
const deadline = Duration.minutes(10)

/** Ends the work of an inspector on a disk at the deadline. */
export const withinDeadline = Effect.timeoutOrElse({
  duration: deadline,
  orElse: () =>
    Effect.fail(
      new VmFailed({
        step: "inspect",
        detail: `the microVM that read the disk did not finish within ${
          Duration.toMinutes(deadline)
        } minutes; the workspace is unchanged`,
        consoleTail: ""
      })
    )
})
