import { Effect, Stream } from "effect"
import { type ChannelFailed, DiskDamaged } from "../../../contract/errors/errors.ts"
import { count } from "../../../contract/text/count.ts"
import { guestFiles, type GuestTree } from "../../../lib/guest-channel/guest-path.ts"
import type { GuestChannel } from "../../../lib/guest-channel/GuestChannel.ts"
import type { Guest } from "../../../lib/vm/model/guest.ts"

/** A whole disk in its inspector. */
export interface DiskTree extends GuestTree {
  /** Folder with the errors of its file system (`GuestSteps.diskErrors`). */
  readonly errors: string
}

/** Mounts the whole disk in its inspector, as the workspace's programs see the disk. */
export const openRoot = ({ channel, vm }: Guest): Effect.Effect<DiskTree, ChannelFailed | DiskDamaged> => {
  const { directory, mounts } = vm.steps.inspectedRoot
  return channel.chain(mounts).pipe(
    Effect.as<DiskTree>({ root: directory, shown: "/", inRoot: true, errors: vm.steps.diskErrors }),
    Effect.catchTag(
      "AgentCallFailed",
      ({ message }) => new DiskDamaged({ detail: `its root cannot be mounted: ${message}` })
    )
  )
}

/** ext4 shows a damaged directory as empty, and counts the error on the disk. */
export const demandSound = (
  channel: GuestChannel,
  { errors }: DiskTree
): Effect.Effect<void, ChannelFailed | DiskDamaged> =>
  channel.read({ root: errors, path: "errors_count" }).pipe(
    Stream.runFold(() => "", (text, bytes) => (text + Buffer.from(bytes).toString("latin1")).slice(0, 16)),
    // The agent of the tests runs on the host's kernel, which has no such file.
    Effect.catchTag("AgentCallFailed", () => Effect.succeed("0")),
    Effect.flatMap((errorCount) =>
      errorCount.trim() === "0"
        ? Effect.void
        : new DiskDamaged({ detail: `its file system has ${count(Number.parseInt(errorCount, 10), "error")}` })
    )
  )

/** Looks at the guest's files: at those of its own root, or at those on an inspected disk. */
export type LookAtFiles = <A, E, R>(
  look: (files: GuestTree) => Effect.Effect<A, E, R>
) => Effect.Effect<A, E | ChannelFailed | DiskDamaged, R>

export const inOwnRoot: LookAtFiles = (look) => look(guestFiles())

export const inInspectedRoot = (guest: Guest): LookAtFiles => (look) =>
  Effect.flatMap(
    openRoot(guest),
    (tree) => Effect.tap(look(guestFiles(tree.root)), demandSound(guest.channel, tree))
  )
